"""How old a kernel is, told by the numbers its own types list. Pure.

Distributions add features to old kernels, and leave none out that later ones build on: the newest
number that is there says "not before", the oldest that is not there says "before".
"""

from __future__ import annotations

from bpfctl.btf.types import DeclTag, Enum, Kind
from bpfctl.elf.section_table import DEFINITIONS
from bpfctl.features.maps import PROBES
from bpfctl.features.since_helpers import helper_since
from bpfctl.features.since_kfuncs import KFUNCS
from bpfctl.linux.version import parse_release
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from bpfctl.btf.decode import Btf

# Commands of bpf(2) that came late; the rest of enum bpf_cmd is older than Linux 5.10.
_COMMANDS: Final = {36: "6.9", 37: "6.17"}
# Attach types of the table of section names that are older than their numbers.
_LATER_NUMBERS: Final = frozenset({"xdp", "sk_reuseport"})


class Listed(NamedTuple):
    """The numbers that a kernel's own enumerations have, None for an enumeration it lacks."""

    map_types: frozenset[int] | None
    prog_types: frozenset[int] | None
    attach_types: frozenset[int] | None
    helpers: frozenset[int] | None
    commands: frozenset[int] | None


class Age(NamedTuple):
    """The first version a kernel can be, and the first it cannot be any more; "": unknown."""

    least: str = ""
    below: str = ""

    def has(self, since: str) -> bool | None:
        """Whether a kernel of this age has what came with `since`; None: cannot be told."""
        wanted = parse_release(since)
        if self.least and wanted <= parse_release(self.least):
            return True
        if self.below and wanted >= parse_release(self.below):
            return False
        return None

    def of_version(self, version: tuple[int, int, int]) -> Age:
        """The age of a kernel that says its version: believed where nothing contradicts it.

        Kernels with features of later ones keep the number of the one that they began with.
        """
        major, minor, _ = version
        says = (major, minor, 0)
        newer = bool(self.least) and says < parse_release(self.least)
        if newer or (self.below and says >= parse_release(self.below)):
            return self
        says_so = f"{major}.{minor}"
        return Age(says_so, after(says_so))

    def __str__(self) -> str:
        if self.least and self.below == after(self.least):
            return f"Linux {self.least}"
        if self.least and self.below:
            return f"at least Linux {self.least}, before {self.below}"
        if self.below:
            return f"before Linux {self.below}"
        return f"at least Linux {self.least}" if self.least else ""


def after(version: str) -> str:
    """The number behind that of a version: what is older is of that version, or older than it."""
    major, minor, _ = parse_release(version)
    return f"{major}.{minor + 1}"


def listed(btf: Btf) -> Listed:
    """Read the enumerations of a kernel."""
    names = ("bpf_map_type", "bpf_prog_type", "bpf_attach_type", "bpf_func_id", "bpf_cmd")
    return Listed(*(_numbers(btf, name) for name in names))


def _numbers(btf: Btf, name: str) -> frozenset[int] | None:
    found = btf.find(name, Kind.ENUM)
    enum = btf.type(found) if found is not None else None
    if not isinstance(enum, Enum):
        return None
    ends = ("__MAX_", "MAX_", "__BPF_FUNC_MAX_ID")
    return frozenset(one.value for one in enum.values if not one.name.startswith(ends))


def marked_kfuncs(btf: Btf) -> list[str]:
    """The functions that a kernel's types mark as kfuncs; they do so since Linux 6.10 or so.

    Source: pahole 1.26, --btf_features=decl_tag_kfuncs.
    """
    tags = (btf.type(one) for one in btf.find_all("bpf_kfunc", (Kind.DECL_TAG,)))
    return [btf.name(one.type_id) for one in tags if isinstance(one, DeclTag)]


def age_of(known: Listed, kfuncs: Iterable[str] = ()) -> Age:
    """Bound the age of a kernel by what it lists and what it does not, and by kfuncs it has."""
    have = [KFUNCS[name] for name in kfuncs if name in KFUNCS]
    lack: list[str] = []
    for numbers, number, since in _dated(known):
        (have if number in numbers else lack).append(since)
    newest = max(have, key=parse_release, default="")
    oldest = min(lack, key=parse_release, default="")
    if newest and oldest and parse_release(oldest) <= parse_release(newest):
        oldest = ""  # somebody's own mixture: what is listed is there, the rest may be
    return Age(newest, oldest)


def _dated(known: Listed) -> Iterator[tuple[frozenset[int], int, str]]:
    """Yield each number we have a date for, with those of its enumeration that are listed."""
    if known.helpers is not None:
        for helper, since in helper_since().items():
            yield known.helpers, helper, since
    if known.commands is not None:
        for command, since in _COMMANDS.items():
            yield known.commands, command, since
    if known.map_types is not None:
        from bpfctl.kernel.uapi import MapType

        for name, probe in PROBES.items():
            yield known.map_types, int(MapType[name]), probe.since
    for one in DEFINITIONS:
        plain = one.attach_type is not None and not one.sleepable and not one.frags
        if plain and one.name not in _LATER_NUMBERS and known.attach_types is not None:
            yield known.attach_types, int(one.attach_type or 0), one.since
