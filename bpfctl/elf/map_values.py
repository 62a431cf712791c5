"""Initial contents of maps of maps and program arrays: the relocations of the .maps section."""

from __future__ import annotations

from bisect import bisect_right

from bpfctl.elf.elf_file import SHN_UNDEF
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.elf_file import ElfFile, Relocation, Section
    from bpfctl.elf.map_defs import MapDef
    from bpfctl.elf.spec import MapSpec

_POINTER_BYTES = 8


def with_values(elf: ElfFile, section: Section, maps: list[MapDef]) -> list[MapSpec]:
    """Return the maps' blueprints with what their `values` name, in the order given.

    Raises: ObjectFileError for a relocation outside of any `values`, or to nothing that has a name.
    """
    starts = [one.offset for one in maps]
    names = {one.offset: one.spec.name for one in maps}
    values: dict[str, list[tuple[int, str]]] = {}
    for relocation in elf.relocations(section):
        owner = maps[bisect_right(starts, relocation.offset) - 1] if maps else None
        index = _index(owner, relocation.offset) if owner else None
        name = _target(elf, section, relocation, names)
        if owner is None or index is None or not name:
            raise elf.error("has a relocation outside of any values", section, relocation.offset)
        values.setdefault(owner.spec.name, []).append((index, name))
    return [replace(one.spec, values=tuple(sorted(values.get(one.spec.name, ())))) for one in maps]


def _target(
    elf: ElfFile, section: Section, relocation: Relocation, maps: dict[int, str]
) -> str | None:
    """The map or function that a relocation names; a static map is named by its place alone."""
    symbol = elf.symbol_of(relocation, section)
    if symbol.section == SHN_UNDEF:
        return None
    if symbol.section != section.number:
        return symbol.name or None
    addend = section.data[relocation.offset : relocation.offset + _POINTER_BYTES]
    return maps.get(symbol.value + int.from_bytes(addend, "little"))


def _index(one: MapDef, offset: int) -> int | None:
    """Which of the map's values is at a place of the section, if one is."""
    start = one.values_offset
    if start is None or not start <= offset < one.offset + one.size_bytes:
        return None
    index, rest = divmod(offset - start, _POINTER_BYTES)
    return None if rest else index
