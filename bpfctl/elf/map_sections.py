"""The sections whose contents become maps, by their names.

Each kind is read by a module of its own, which is imported for the objects that have it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.elf.elf_file import ElfFile, Section

MAPS: Final = ".maps"  # map_defs
LEGACY: Final = "maps"  # legacy_maps; gobpf's are "maps/NAME"
STRUCT_OPS: Final = ".struct_ops"
STRUCT_OPS_LINK: Final = ".struct_ops.link"
ARENA: Final = ".addr_space.1"  # LLVM's name for the address space of arenas


def is_legacy(section: Section) -> bool:
    """Whether a section has definitions from before types could define maps."""
    named = section.name == LEGACY or section.name.startswith(LEGACY + "/")
    return named and not section.is_code and section.size > 0


def is_struct_ops(section: Section) -> bool:
    """Whether a section has implementations of a kernel's structs of functions."""
    return section.name.removeprefix("?") in (STRUCT_OPS, STRUCT_OPS_LINK) and section.size > 0


def arena_section(elf: ElfFile) -> Section | None:
    """The section of arena variables, if the object has any."""
    section = elf.section(ARENA)
    return section if section is not None and section.size else None
