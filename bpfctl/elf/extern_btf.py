"""Make the types of externs such that a kernel takes them.

A compiler declares externs as variables and functions of linkage "extern" in the sections .ksyms
and .kconfig, without sizes and offsets. The kernel knows no such linkage: variables become
allocated ones, functions global ones with a variable in their place, and all get offsets.
Source: btf_var_check_meta, btf_func_check_meta, btf_func_check and btf_datasec_check_meta,
kernel/bpf/btf.c, Linux 6.18; the replacements are libbpf's (behaviour, libbpf 1.5).
"""

from __future__ import annotations

from struct import Struct

from bpfctl.btf.layout import HEADER_BYTES, MAGIC, VERSION
from bpfctl.btf.types import Func, FuncLinkage, FuncProto, Int, Kind, Var, VarLinkage
from bpfctl.elf.datasec import datasecs
from bpfctl.elf.externs import KCONFIG, KSYMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.types import Datasec
    from bpfctl.elf.spec import ExternSpec

_HEADER: Final = Struct("<HBBIIIII")
_WORDS: Final = Struct("<III")
_VAR: Final = Struct("<IIII")
_PARAM: Final = Struct("<II")
_WORD: Final = Struct("<I")
_RECORD_BYTES: Final = 12
_VLEN_MASK: Final = 0xFFFF
_INT_BYTES: Final = 4
_NAME: Final = b"dummy_ksym\0"


def fixup_externs(btf: Btf, externs: Iterable[ExternSpec]) -> bytes:
    """Return the BTF's bytes with externs as the kernel wants them; ids of types stay."""
    sections = [one for one in datasecs(btf) if one.name in (KSYMS, KCONFIG)]
    if not sections:
        return btf.data
    rewriting = _Rewriting(btf)
    offsets = {one.name: one.offset for one in externs if one.kind == "kconfig"}
    for section in sections:
        if section.name == KSYMS:
            rewriting.ksyms(section)
        else:
            rewriting.kconfig(section, offsets)
    return rewriting.data()


class _Rewriting:
    """The types and strings of one blob, with some of them changed and others appended."""

    def __init__(self, btf: Btf) -> None:
        header = btf.header
        self.btf = btf
        self.types = bytearray(btf.data[header.type_off : header.type_off + header.type_len])
        self.strings = bytearray(btf.data[header.str_off : header.str_off + header.str_len])
        self._count = len(btf)
        self._name = 0
        self._int = 0
        self._stand_in = 0

    def data(self) -> bytes:
        """The whole blob."""
        spans = (HEADER_BYTES, 0, len(self.types), len(self.types), len(self.strings))
        return _HEADER.pack(MAGIC, VERSION, 0, *spans) + bytes(self.types + self.strings)

    def ksyms(self, section: Datasec) -> None:
        """Symbols become integers, one behind the other; a variable stands in for functions."""
        entries = []
        for number, info in enumerate(section.vars):
            one = self.btf.type(info.type_id)
            type_id = one.id
            if isinstance(one, Func):
                self._make_global(one)
                type_id = self._function_stand_in()
            elif isinstance(one, Var):
                self._set_words(one.id, type_id=self._int_type())
                self._allocate(one)
            entries.append((type_id, number * _INT_BYTES, _INT_BYTES))
        self._write_section(section, entries, len(entries) * _INT_BYTES)

    def kconfig(self, section: Datasec, offsets: dict[str, int]) -> None:
        """Values of the configuration lie where their map has them."""
        entries = []
        for info in section.vars:
            one = self.btf.type(info.type_id)
            if isinstance(one, Var):
                self._allocate(one)
            entries.append((one.id, offsets.get(one.name, 0), self.btf.size_of(one.id)))
        entries.sort(key=lambda entry: entry[1])
        end = max((offset + size for _, offset, size in entries), default=0)
        self._write_section(section, entries, end)

    def _write_section(
        self, section: Datasec, entries: list[tuple[int, int, int]], size_bytes: int
    ) -> None:
        at = self._at(section.id)
        _WORD.pack_into(self.types, at + 8, size_bytes)
        for number, entry in enumerate(entries):
            _WORDS.pack_into(self.types, at + _RECORD_BYTES + number * _WORDS.size, *entry)

    def _make_global(self, function: Func) -> None:
        """Give a function global linkage, and its parameters the names that this takes."""
        at = self._at(function.id)
        (info,) = _WORD.unpack_from(self.types, at + 4)
        _WORD.pack_into(self.types, at + 4, info & ~_VLEN_MASK | FuncLinkage.GLOBAL)
        proto = self.btf.type(function.proto_id)
        if not isinstance(proto, FuncProto):
            return
        for number, param in enumerate(proto.params):
            if param.type_id and not param.name:
                place = self._at(proto.id) + _RECORD_BYTES + number * _PARAM.size
                _PARAM.pack_into(self.types, place, self._any_name(), param.type_id)

    def _allocate(self, variable: Var) -> None:
        at = self._at(variable.id) + _RECORD_BYTES
        _WORD.pack_into(self.types, at, VarLinkage.GLOBAL_ALLOCATED)

    def _set_words(self, record_id: int, *, type_id: int) -> None:
        _WORD.pack_into(self.types, self._at(record_id) + 8, type_id)

    def _at(self, type_id: int) -> int:
        return self.btf.record_offset(type_id) - self.btf.header.type_off

    # --- what is appended, once

    def _any_name(self) -> int:
        if not self._name:
            self._name = len(self.strings)
            self.strings += _NAME
        return self._name

    def _int_type(self) -> int:
        """An integer of 32 bits: the blob's first, or a new one."""
        if not self._int:
            ids = (i for i in range(1, len(self.btf)) if self.btf.kind_number(i) == Kind.INT)
            ints = (self.btf.type(type_id) for type_id in ids)
            found = next((i.id for i in ints if isinstance(i, Int) and i.bits == 32), None)
            words = (self._any_name(), Kind.INT << 24, _INT_BYTES, 32)
            self._int = self._append(words) if found is None else found
        return self._int

    def _function_stand_in(self) -> int:
        if not self._stand_in:
            words = (self._any_name(), Kind.VAR << 24, self._int_type())
            self._stand_in = self._append((*words, int(VarLinkage.GLOBAL_ALLOCATED)))
        return self._stand_in

    def _append(self, words: tuple[int, int, int, int]) -> int:
        self.types += _VAR.pack(*words)
        self._count += 1
        return self._count - 1
