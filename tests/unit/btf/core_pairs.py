"""Types made in a line each, for pairs of an object's types and a kernel's."""

from __future__ import annotations

from dataclasses import replace

from bpfctl.btf import types as t
from bpfctl.btf.core import CoreTarget, resolve
from bpfctl.btf.core_fixup import CoreFixup, CoreKind
from bpfctl.btf.core_needs import Needs
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.ext import CoreRelo

# name, type, and the offset in bytes or (offset in bits, width in bits)
MemberRow = tuple[str, int, int | tuple[int, int]]


class Types:
    """Each method adds a type and gives its id. INT to U64 are there from the beginning."""

    INT, UINT, CHAR, U16, U64, LONG = 1, 2, 3, 4, 5, 6

    def __init__(self, order: str = "<") -> None:
        self._builder = BtfBuilder(order)
        self.integer("int", 4, signed=True)
        self.integer("unsigned int", 4)
        self.integer("char", 1)
        self.integer("unsigned short", 2)
        self.integer("unsigned long long", 8)
        self.integer("long", 8, signed=True)

    def integer(
        self, name: str, size_bytes: int, *, signed: bool = False, offset_bits: int = 0
    ) -> int:
        row = t.Int(0, name, size_bytes, t.IntEncoding.SIGNED * signed, offset_bits, size_bytes * 8)
        return self._builder.add(row)

    def float(self, name: str, size_bytes: int) -> int:
        return self._builder.add(t.Float(0, name, size_bytes))

    def ptr(self, to: int) -> int:
        return self._builder.add(t.Ptr(0, "", to))

    def array(self, of: int, count: int) -> int:
        return self._builder.add(t.Array(0, "", of, self.UINT, count))

    def const(self, of: int) -> int:
        return self._builder.add(t.Const(0, "", of))

    def typedef(self, name: str, of: int) -> int:
        return self._builder.add(t.Typedef(0, name, of))

    def fwd(self, name: str, *, union: bool = False) -> int:
        return self._builder.add(t.Fwd(0, name, union))

    def func_proto(self, returns: int, *params: int) -> int:
        return self._builder.add(
            t.FuncProto(0, "", returns, tuple(t.Param(f"p{n}", p) for n, p in enumerate(params)))
        )

    def struct(self, name: str, *rows: MemberRow, size: int = 64, union: bool = False) -> int:
        members = [
            t.Member(member, type_id, at * 8)
            if isinstance(at, int)
            else t.Member(member, type_id, at[0], at[1])
            for member, type_id, at in rows
        ]
        return self._builder.add(t.Struct(0, name, size, tuple(members), union))

    def enum(self, name: str, size_bytes: int = 4, **values: int) -> int:
        return self._builder.add(self._enum(name, size_bytes, values))

    def enum_signed(self, name: str, **values: int) -> int:
        return self._builder.add(replace(self._enum(name, 4, values), signed=True))

    def enum64(self, name: str, size_bytes: int = 8, **values: int) -> int:
        return self._builder.add(replace(self._enum(name, size_bytes, values), is64=True))

    def _enum(self, name: str, size_bytes: int, values: dict[str, int]) -> t.Enum:
        rows = tuple(t.EnumValue(key, value) for key, value in values.items())
        return t.Enum(0, name, size_bytes, signed=False, values=rows)

    def btf(self) -> Btf:
        return Btf.parse(self._builder.build())


def fixup(
    local: Types, root: int, access: str, kind: CoreKind | int, kernel: Types | CoreTarget
) -> CoreFixup:
    """Resolve one relocation; with what it needs of the kernel's types it is the same."""
    target = kernel if isinstance(kernel, CoreTarget) else CoreTarget(kernel.btf())
    relo = CoreRelo(24, root, access, kind)
    btf = local.btf()
    found = resolve(btf, relo, target)
    if isinstance(kernel, Types) and kind != CoreKind.TYPE_ID_TARGET:
        needs = Needs(CoreTarget(target.btf))
        needs.add(btf, relo)
        small = resolve(btf, relo, CoreTarget(Btf.parse(needs.build())))
        assert essence(small) == essence(found)
    return found


def essence(one: CoreFixup) -> tuple[object, ...]:
    """What a fixup writes into an instruction."""
    return (one.kind, one.value, one.original, one.poison, one.value_bits, one.memory)
