"""Variables that live in an arena: section .addr_space.1 (LLVM's name for that address space)."""

from __future__ import annotations

from bpfctl.elf.elf_file import SHT_NOBITS
from bpfctl.elf.map_sections import ARENA, arena_section
from bpfctl.kernel.uapi import MapType
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.elf_file import ElfFile
    from bpfctl.elf.spec import MapSpec


def with_arena(elf: ElfFile, maps: list[MapSpec]) -> list[MapSpec]:
    """Give the object's arena the contents of its variables.

    Raises: ObjectFileError when there are variables and not exactly one arena.
    """
    section = arena_section(elf)
    if section is None:
        return maps
    arenas = [one for one in maps if one.type == MapType.ARENA]
    if len(arenas) != 1:
        what = "no map is an arena" if not arenas else f"{len(arenas)} maps are arenas"
        raise elf.error(f"has arena variables, but {what}", section)
    contents = bytes(section.size) if section.type == SHT_NOBITS else bytes(section.data)
    filled = replace(arenas[0], section=ARENA, contents=contents)
    return [filled if one is arenas[0] else one for one in maps]
