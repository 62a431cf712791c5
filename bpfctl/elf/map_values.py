"""Initial contents of maps of maps and program arrays: the relocations of the .maps section."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bpfctl.elf.elf_file import SHN_UNDEF

if TYPE_CHECKING:
    from bpfctl.elf.elf_file import ElfFile, Section
    from bpfctl.elf.map_defs import MapDef
    from bpfctl.elf.spec import MapSpec

_POINTER_BYTES = 8


def with_values(elf: ElfFile, section: Section, maps: list[MapDef]) -> list[MapSpec]:
    """Return the maps' blueprints with what their `values` name, in the order given.

    Raises: ObjectFileError for a relocation outside of any `values`.
    """
    values: dict[str, list[tuple[int, str]]] = {}
    for relocation in elf.relocations(section):
        symbol = elf.symbol_of(relocation, section)
        owner = next((one for one in maps if _holds(one, relocation.offset)), None)
        if owner is None or owner.values_offset is None or symbol.section == SHN_UNDEF:
            raise elf.error("has a relocation outside of any values", section, relocation.offset)
        index = (relocation.offset - owner.values_offset) // _POINTER_BYTES
        values.setdefault(owner.spec.name, []).append((index, symbol.name))
    return [replace(one.spec, values=tuple(sorted(values.get(one.spec.name, ())))) for one in maps]


def _holds(one: MapDef, offset: int) -> bool:
    """Whether a place of the section is in the values of a map, at the start of a pointer."""
    start = one.values_offset
    if start is None:
        return False
    return start <= offset < one.offset + one.size_bytes and not (offset - start) % _POINTER_BYTES
