"""What an object needs, and the first kernel that has each of it.

The object is checked for a kernel that has nothing: what is missing there is needed everywhere,
and what is guarded is not.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.core_names import essential_name
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.check.check import check
from bpfctl.check.finding import Kind, State
from bpfctl.check.kernels import Target
from bpfctl.check.needs import all_maps
from bpfctl.elf.section_def import AttachKind
from bpfctl.features.maps import PROBES
from bpfctl.features.since_helpers import helper_since
from bpfctl.features.since_insns import SINCE as INSNS
from bpfctl.features.since_kfuncs import KFUNCS
from bpfctl.features.since_targets import ITERATORS, MAP_FLAGS, STRUCT_OPS
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.uapi_helpers import HelperId
from bpfctl.linux.version import parse_release
from bpfctl.loader.kconfig_virtual import VIRTUAL
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.loader.ksyms import is_typed
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Final

    from bpfctl.check.check import Subject
    from bpfctl.check.finding import Finding
    from bpfctl.elf.spec import ObjectSpec

SUBPROGRAMS: Final = ("functions that call one another", "4.16")
GLOBAL_DATA: Final = ("global variables", "5.2")
KERNEL_TYPES: Final = ("types of the kernel", "5.4")
_LISTS: Final = ("bpf_map_type", "bpf_prog_type", "bpf_attach_type", "bpf_func_id", "bpf_cmd")
_KERNEL_VARIABLES: Final = "5.10"  # with their types: BPF_PSEUDO_BTF_ID
# Sections tell these: their table has a version for each combination.
_BY_SECTION: Final = frozenset({Kind.PROGRAM_TYPE, Kind.ATTACH_TYPE, Kind.FLAG})
_OF_THE_OBJECT: Final = frozenset({Kind.OBJECT, Kind.MAP})  # no kernel helps


@plain
class Requirement:
    """One thing an object needs; `since` is the first kernel that has it, "" where nobody knows.

    `is_guarded`: the object also runs on kernels without it.
    """

    kind: str
    name: str
    since: str = ""
    is_guarded: bool = False
    programs: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The fields."""
        return {
            "kind": self.kind,
            "name": self.name,
            "since": self.since or None,
            "guarded": self.is_guarded,
            "programs": list(self.programs),
        }


@plain
class Requirements:
    """All that one object needs."""

    path: str
    needs: tuple[Requirement, ...]

    @property
    def minimum(self) -> str:
        """The first kernel that may run it, as far as versions are known; "" for none known."""
        known = [one.since for one in self.needs if one.since and not one.is_guarded]
        return max(known, key=parse_release, default="")

    @property
    def reasons(self) -> list[Requirement]:
        """What no earlier kernel has."""
        return [one for one in self.needs if one.since == self.minimum and not one.is_guarded]

    @property
    def undated(self) -> list[Requirement]:
        """What it needs of which no version is known."""
        return [one for one in self.needs if not one.since and not one.is_guarded]

    def to_json(self) -> dict[str, object]:
        """The fields."""
        return {
            "object": self.path,
            "minimum": self.minimum or None,
            "reasons": [f"{one.kind} {one.name}" for one in self.reasons if self.minimum],
            "undated": len(self.undated),
            "requirements": [one.to_json() for one in self.needs],
        }


class _Nothing(KernelBtf):
    """The types of a kernel that has nothing: enumerations without a number in them."""

    def __init__(self) -> None:
        super().__init__("nothing")
        builder = BtfBuilder()
        for name in _LISTS:
            builder.add(t.Enum(0, name, 4, signed=False, values=()))
        self.__dict__.update(btf=Btf.parse(builder.build()), modules=())


def requirements(subject: Subject) -> Requirements:
    """Find out what an object needs. Raises: NotSupportedError, ObjectFileError."""
    report = check(subject, Target("nothing", _Nothing(), has_modules=True))
    found = [*_sections(subject), *_shape(subject), *_dated(subject.spec, report.findings)]
    return Requirements(subject.spec.path, tuple(found))


def _sections(subject: Subject) -> Iterator[Requirement]:
    """A requirement for each section name, which stands for types and flags."""
    wanted = subject.options.programs
    users: dict[str, list[str]] = {}
    loaded: set[str] = set()
    since: dict[str, str] = {}
    for one in subject.spec.programs:
        name = one.section.definition.name
        since[name] = one.section.definition.since
        users.setdefault(name, []).append(one.name)
        asked = one.section.autoload if wanted is None else one.name in wanted
        if asked and one.name not in subject.options.skip:
            loaded.add(name)
    for name, who in users.items():
        yield Requirement("program", name, since[name], name not in loaded, tuple(who))


def _shape(subject: Subject) -> Iterator[Requirement]:
    """What follows from what the object is made of."""
    spec = subject.spec
    used = [spec.functions[key] for key in subject.needs.functions]
    entries = {one.function for one in spec.programs}
    called = [one for one in used if one.key not in entries]
    typed = any(one.section.definition.btf_target for one in spec.programs)
    yield from (
        Requirement("code", *what)
        for what, holds in (
            (GLOBAL_DATA, any(one.section for one in spec.maps)),
            (SUBPROGRAMS, bool(called)),
            (KERNEL_TYPES, typed or any(one.core_relos for one in used)),
        )
        if holds
    )
    flags = MapFlags(0)
    for one in all_maps(one for one in spec.maps if not one.section):
        flags |= MapFlags(one.flags)
    for flag, since in MAP_FLAGS.items():
        if flag & flags:
            yield Requirement("map flag", str(flag.name).lower(), since)


def _dated(spec: ObjectSpec, findings: Iterable[Finding]) -> Iterator[Requirement]:
    for one in findings:
        if one.kind in _BY_SECTION or one.kind in _OF_THE_OBJECT:
            continue
        if one.kind is Kind.STRUCT_OPS:
            yield from _structs(spec)
            continue
        if one.kind is Kind.KCONFIG and one.name in VIRTUAL:
            continue
        guarded = one.state is State.GUARDED
        yield Requirement(one.kind.value, one.name, _since(one, spec), guarded, one.programs)


def _structs(spec: ObjectSpec) -> Iterator[Requirement]:
    """The kernel's structs of functions that the object implements, each once."""
    assert spec.btf is not None
    mine = [one.struct_ops for one in spec.maps if one.struct_ops]
    for name in dict.fromkeys(essential_name(spec.btf.name(one.type_id)) for one in mine):
        yield Requirement(Kind.STRUCT_OPS.value, name, STRUCT_OPS.get(name, ""))


def _since(one: Finding, spec: ObjectSpec) -> str:
    """The first kernel with what a finding is about; "" where we do not know."""
    if one.kind is Kind.HELPER:
        return _helpers().get(one.name, "")
    if one.kind is Kind.MAP_TYPE:
        probe = PROBES.get(one.name.upper())
        return probe.since if probe else ""
    if one.kind is Kind.KFUNC:
        return KFUNCS.get(essential_name(one.name), "")
    if one.kind is Kind.KSYM:
        return _KERNEL_VARIABLES if _is_variable(spec, one.name) else ""
    if one.kind is Kind.TARGET:
        return _iterator(spec, one.programs)
    return INSNS.get(one.name, "") if one.kind is Kind.CODE else ""


def _is_variable(spec: ObjectSpec, name: str) -> bool:
    """Whether the object says what type a symbol is of."""
    btf = spec.btf
    return btf is not None and any(one.name == name and is_typed(btf, one) for one in spec.externs)


def _iterator(spec: ObjectSpec, programs: Sequence[str]) -> str:
    sections = [one.section for one in spec.programs if one.name in programs]
    names = (one.target for one in sections if one.kind is AttachKind.ITER)
    return next((ITERATORS[name] for name in names if name in ITERATORS), "")


def _helpers() -> dict[str, str]:
    return {
        f"bpf_{HelperId(number).name.lower()}": since for number, since in helper_since().items()
    }
