"""What instructions refer to: from ELF relocations, and from calls that need none."""

from __future__ import annotations

from struct import unpack_from

from bpfctl.asm.insn import BPF_CALL_IMM, BPF_LD_IMM64, BPF_PSEUDO_CALL, SLOT_BYTES, find_opcode
from bpfctl.elf.elf_file import SHN_LORESERVE, SHN_UNDEF
from bpfctl.elf.spec import Reloc, RelocKind
from bpfctl.errors import RelocationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from bpfctl.elf.elf_file import ElfFile, Relocation, Section, Symbol
    from bpfctl.elf.functions import Function, FunctionIndex

JUMP_TABLES: Final = ".jumptables"
ENTRY_BYTES: Final = 8  # of a jump table

_IMM_OFFSET: Final = 4  # bytes into the instruction


class RelocReader:
    """Turns the references of code into `Reloc`s.

    `maps` gives by section number the name of the map at each offset.
    `data` gives by section number the names of sections that become maps.
    """

    def __init__(
        self,
        elf: ElfFile,
        functions: FunctionIndex,
        maps: Mapping[int, Mapping[int, str]],
        data: dict[int, Section],
    ) -> None:
        self.elf = elf
        self.functions = functions
        self.maps = maps
        self.data = data

    def read(self, section: Section) -> dict[str, list[Reloc]]:
        """All references of a section's code, by function key, sorted by instruction.

        Raises: RelocationError, ObjectFileError.
        """
        found: dict[str, dict[int, Reloc]] = {}
        for relocation in self.elf.relocations(section):
            function = self.functions.holding(section.number, relocation.offset)
            if relocation.offset % SLOT_BYTES or relocation.offset >= section.size:
                message = "has a relocation outside of its instructions"
                raise self.elf.error(message, section, relocation.offset)
            if function is None:
                continue  # bpftool's linker keeps the code of a weak function that lost
            place = (relocation.offset - function.start) // SLOT_BYTES
            found.setdefault(function.key, {})[place] = self._reloc(function, place, relocation)
        for function in self.functions.by_section[section.number]:
            self._add_plain_calls(function, found.setdefault(function.key, {}))
        return {key: [relocs[at] for at in sorted(relocs)] for key, relocs in found.items()}

    def _reloc(self, function: Function, place: int, relocation: Relocation) -> Reloc:
        symbol = self.elf.symbol_of(relocation, function.section)
        opcode = function.section.data[relocation.offset]
        (imm,) = unpack_from("<i", function.section.data, relocation.offset + _IMM_OFFSET)
        if opcode == BPF_CALL_IMM:
            return self._call(function, place, symbol, imm)
        room = relocation.offset + 2 * SLOT_BYTES <= function.end
        if opcode != BPF_LD_IMM64 or not room:
            raise _error(function, place, symbol, "from an instruction that cannot hold one")
        return self._address(function, place, symbol, imm)

    def _call(self, function: Function, place: int, symbol: Symbol, imm: int) -> Reloc:
        """Clang leaves the distance in the immediate: -1 for a function's own symbol."""
        if symbol.section == SHN_UNDEF:
            return Reloc(place, RelocKind.EXTERN, symbol.name)
        target = symbol.value + (imm + 1) * SLOT_BYTES
        callee = self.functions.starting(symbol.section, target)
        if callee is None:
            raise _error(function, place, symbol, "to something that is no function")
        return Reloc(place, RelocKind.CALL, callee.key)

    def _address(self, function: Function, place: int, symbol: Symbol, imm: int) -> Reloc:
        where, offset = symbol.section, symbol.value + imm
        if where == SHN_UNDEF:
            return Reloc(place, RelocKind.EXTERN, symbol.name)
        if where in self.maps:
            if offset not in self.maps[where]:
                raise _error(function, place, symbol, "to something that is no map")
            return Reloc(place, RelocKind.MAP, self.maps[where][offset])
        if section := self.data.get(where):
            if not 0 <= offset < section.size:
                raise _error(function, place, symbol, f"to byte {offset} of {section.size}")
            return Reloc(place, RelocKind.DATA, section.name, offset)
        if target := self.functions.starting(where, offset):
            return Reloc(place, RelocKind.FUNC_ADDRESS, target.key)
        if tables := self._jump_tables(where):
            return self._jump_table(function, place, symbol, tables)
        raise _error(function, place, symbol, self._to_where(where))

    def _jump_tables(self, section_number: int) -> Section | None:
        if section_number >= len(self.elf.sections):
            return None
        section = self.elf.sections[section_number]
        return section if section.name == JUMP_TABLES else None

    def _jump_table(self, function: Function, place: int, symbol: Symbol, tables: Section) -> Reloc:
        """The symbol says where the table is and how large, whatever the immediate says."""
        start, size = symbol.value, symbol.size
        if not size or start % ENTRY_BYTES or size % ENTRY_BYTES or start + size > len(tables.data):
            raise _error(function, place, symbol, "to something that is no jump table")
        return Reloc(place, RelocKind.JUMP_TABLE, tables.name, start, size)

    def _to_where(self, section_number: int) -> str:
        if section_number >= SHN_LORESERVE or section_number >= len(self.elf.sections):
            return "to something in no section"
        name = self.elf.sections[section_number].name
        return f'into section "{name}", which is no data, map or start of a function'

    def _add_plain_calls(self, function: Function, relocs: dict[int, Reloc]) -> None:
        """Within a section the compiler may have put in the distance itself."""
        code = function.code
        for place in find_opcode(code, BPF_CALL_IMM):
            at = place * SLOT_BYTES
            if place in relocs or code[at + 1] >> 4 != BPF_PSEUDO_CALL:
                continue
            (imm,) = unpack_from("<i", code, at + _IMM_OFFSET)
            target = function.start + (place + 1 + imm) * SLOT_BYTES
            callee = self.functions.starting(function.section.number, target)
            if callee is None:
                raise _error(function, place, None, "to something that is no function")
            relocs[place] = Reloc(place, RelocKind.CALL, callee.key)


def _error(function: Function, place: int, symbol: Symbol | None, what: str) -> RelocationError:
    name = f" ({symbol.name})" if symbol and symbol.name else ""
    return RelocationError(
        f"instruction {place} has a reference {what}{name}",
        insn_index=place,
        symbol=symbol.name if symbol else None,
        section=function.section.name,
        offset=function.start + place * SLOT_BYTES,
        program=function.symbol.name,
    )
