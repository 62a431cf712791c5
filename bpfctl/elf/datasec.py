"""Complete the DATASEC types of an object's BTF.

A compiler does not know yet where variables end up: clang leaves the size of sections and the
offsets of global variables 0. The kernel wants both right, and variables sorted by offset.
Source: btf_datasec_check_meta, kernel/bpf/btf.c, Linux 6.18.
"""

from __future__ import annotations

from struct import Struct

from bpfctl.btf.types import Datasec, Kind, Var, VarLinkage, VarSecinfo
from bpfctl.elf.elf_file import STB_LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.elf_file import ElfFile, Section, Symbol

_TYPE_BYTES: Final = 12  # struct btf_type; the size is its last word
_SECINFO: Final = Struct("<III")
_WORD: Final = Struct("<I")


def datasecs(btf: Btf) -> Iterator[Datasec]:
    """All DATASEC types, in the order of their ids."""
    for type_id in range(1, len(btf)):
        if btf.kind_number(type_id) == Kind.DATASEC:
            found = btf.type(type_id)
            assert isinstance(found, Datasec)
            yield found


def fixup_datasecs(btf: Btf, elf: ElfFile) -> bytes:
    """Return the BTF's bytes with sizes from the sections and offsets from the symbols.

    A hidden variable becomes a static one, as with libbpf: nobody outside may look at it.
    DATASECs without a section in the file (.ksyms, .kconfig) stay as they are.
    Raises: ObjectFileError for a variable without a symbol, or outside of its section.
    """
    data = bytearray(btf.data)
    symbols: dict[int, dict[str, Symbol]] = {}
    for datasec in datasecs(btf):
        section = elf.section(datasec.name)
        if section is None or not section.size:
            continue
        at = btf.record_offset(datasec.id)
        _WORD.pack_into(data, at + _TYPE_BYTES - 4, section.size & 0xFFFFFFFF)
        if section.number not in symbols:
            symbols[section.number] = {
                symbol.name: symbol
                for symbol in elf.symbols_in(section)
                if symbol.bind != STB_LOCAL
            }
        known = symbols[section.number]
        placed = _placed(btf, elf, datasec, section, known)
        for number, info in enumerate(placed):
            place = at + _TYPE_BYTES + number * _SECINFO.size
            _SECINFO.pack_into(data, place, info.type_id, info.offset, info.size_bytes)
        for type_id in _hidden(btf, datasec, known):
            _WORD.pack_into(data, btf.record_offset(type_id) + _TYPE_BYTES, VarLinkage.STATIC)
    return bytes(data)


def _placed(
    btf: Btf, elf: ElfFile, datasec: Datasec, section: Section, symbols: dict[str, Symbol]
) -> list[VarSecinfo]:
    """The variables with their offsets, sorted by them."""
    placed = []
    for info in datasec.vars:
        variable = btf.type(info.type_id)
        offset = info.offset
        if isinstance(variable, Var) and variable.linkage != VarLinkage.STATIC:
            if variable.linkage == VarLinkage.GLOBAL_EXTERN:
                message = f"has {variable.name} from another file: link them (bpftool gen object)"
                raise elf.error(message, section)
            if variable.name not in symbols:
                raise elf.error(f"has no symbol for variable {variable.name}", section)
            offset = symbols[variable.name].value
        if offset + info.size_bytes > section.size:
            raise elf.error(f"has variable {variable.name} behind its end", section, offset)
        placed.append(VarSecinfo(info.type_id, offset, info.size_bytes))
    return sorted(placed, key=lambda info: info.offset)


def _hidden(btf: Btf, datasec: Datasec, symbols: dict[str, Symbol]) -> Iterator[int]:
    """The types of the variables whose symbols are hidden (bpf_helpers.h: __hidden)."""
    for info in datasec.vars:
        variable = btf.type(info.type_id)
        if not isinstance(variable, Var) or variable.linkage == VarLinkage.STATIC:
            continue
        if symbols[variable.name].is_hidden:
            yield info.type_id
