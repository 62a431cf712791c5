"""The words of `prog load` and `prog loadall`, which are bpftool's."""

from __future__ import annotations

from bpfctl.errors import NotFoundError, UsageError
from bpfctl.plain import plain, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

    from bpfctl.elf.section_def import SectionDef
    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.objects.select import Selector

GRAMMAR: Final = (
    "[type TYPE] [map idx N MAP] [map name NAME MAP] [pinmaps DIR] [kernel_btf FILE] "
    "[offload_dev NAME] [xdpmeta_dev NAME] [autoattach]"
)


@plain
class LoadWords:
    """OBJ PATH, and what may follow.

    `reuse` has the maps to use in place of the object's, each by name or by position (from 0).
    `device` is a network device: `offload` says that programs run in it, not just for it.
    `attach`: programs are attached to what their sections say, and links pinned in their place.
    """

    obj: str
    path: str
    pinmaps: str | None = None
    type: str | None = None
    reuse: tuple[tuple[str | int, Selector], ...] = ()
    kernel_btf: str | None = None
    device: str | None = None
    offload: bool = False
    attach: bool = False

    @property
    def prog_type(self) -> SectionDef | None:
        """What all programs are to be loaded as; None: what their sections say.

        Raises: UsageError for no such type.
        """
        return section_type(self.type) if self.type else None

    def reused(self, spec: ObjectSpec) -> dict[str, Selector]:
        """The maps to use in place of the object's, by name. Raises: UsageError."""
        return {_map_name(spec, which): selector for which, selector in self.reuse}

    @property
    def ifindex(self) -> int:
        """The index of the network device, 0 for none. Raises: NotFoundError."""
        if self.device is None:
            return 0
        from bpfctl.linux.netdev import interface_index

        found = interface_index(self.device)
        if found is None:
            raise NotFoundError(f"there is no network device {self.device}")
        return found


def parse_load_words(words: Sequence[str]) -> LoadWords:
    """Read the words behind `prog load`.

    Raises: UsageError.
    """
    if len(words) < 2:
        raise UsageError("expected OBJ PATH: the object file, and where to pin")
    obj, path, *rest = words
    found = LoadWords(obj, path)
    said: set[str] = set()
    while rest:
        word, *rest = rest
        if word == "autoattach":
            found = replace(found, attach=True)
            continue
        if word == "map":
            which, rest = _take_map(rest)
            found = replace(found, reuse=(*found.reuse, which))
            continue
        fields, rest = _take(word, rest)
        if said & fields.keys():
            raise UsageError(f'"{word}" says again what was said before')
        said |= fields.keys()
        found = replace(found, **fields)
    return found


def _take(word: str, rest: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Read the value of one word; give the fields it sets, and the words behind it."""
    if word not in _READERS:
        raise UsageError(f'"{word}" is one word too many', remedy=f"what may follow: {GRAMMAR}")
    field, what, more = _READERS[word]
    if not rest:
        raise UsageError(f'"{word}" wants {what} after it')
    return {field: rest[0], **more}, rest[1:]


# The field a word sets, what is to follow it, and further fields.
_READERS: Final[dict[str, tuple[str, str, dict[str, bool]]]] = {
    "pinmaps": ("pinmaps", "a directory", {}),
    "type": ("type", "a program type", {}),
    "kernel_btf": ("kernel_btf", "a file", {}),
    "dev": ("device", "a network device", {"offload": True}),
    "offload_dev": ("device", "a network device", {"offload": True}),
    "xdpmeta_dev": ("device", "a network device", {"offload": False}),
}


def _take_map(rest: list[str]) -> tuple[tuple[str | int, Selector], list[str]]:
    """Read `idx N MAP` or `name NAME MAP`; give it, and the words behind it."""
    from bpfctl.objects.ids import ObjectKind

    from .selectors import take_selector

    if len(rest) < 2 or rest[0] not in ("idx", "name"):
        raise UsageError('"map" wants "idx N MAP" or "name NAME MAP" after it')
    by, which, *more = rest
    if by == "idx" and not (which.isascii() and which.isdecimal()):
        raise UsageError(f'"{which}" is no position of a map, which count from 0')
    selector, more = take_selector(more, ObjectKind.MAP)
    return (int(which) if by == "idx" else which, selector), more


def _map_name(spec: ObjectSpec, which: str | int) -> str:
    """The name of the map meant. A name that no map has is the loader's to refuse."""
    if isinstance(which, str):
        return which
    if which >= len(spec.maps):
        raise UsageError(
            f"there is no map {which}: the object has {len(spec.maps)}, which count from 0",
            subject=spec.path,
        )
    return spec.maps[which].name


def section_type(word: str) -> SectionDef:
    """What a program of that section is loaded as ("xdp", "cgroup/connect4").

    Raises: UsageError for no such section.
    """
    from bpfctl.elf.section_table import BY_NAME
    from bpfctl.elf.suggest import suggestions

    found = BY_NAME.get(word.rstrip("/"))
    if found is not None:
        return found
    near = suggestions(word)
    raise UsageError(
        f'"{word}" is no program type',
        remedy=f"did you mean {' or '.join(near)}?" if near else "bpfctl help sections lists them",
    )
