"""What an object has that bpfctl does not load yet, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bpfctl.elf.elf_file import ElfFile, Section

# Sections with a meaning that bpfctl does not know yet, by the beginning of their names.
_SECTIONS: Final = ((".jumptables", "jump tables"),)


def unsupported_sections(elf: ElfFile) -> dict[int, str]:
    """Sections whose contents bpfctl cannot load yet, by number, in words."""
    found: dict[int, str] = {}
    for section in elf.sections:
        if section.size and (words := _unsupported(section)):
            found[section.number] = f"section {section.name} ({words})"
    return found


def _unsupported(section: Section) -> str | None:
    if section.is_code:
        return None
    return next((words for start, words in _SECTIONS if section.name.startswith(start)), None)
