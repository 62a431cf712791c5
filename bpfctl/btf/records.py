"""From the words of one type record to a type: one small function per kind.

Source: include/uapi/linux/btf.h, Linux 6.18.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.layout import RECORD_WORDS, flag_of, kind_of, vlen_of
from bpfctl.btf.types import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bpfctl.btf.layout import Words


class Record:
    """A record taken apart: what every kind has, and the words of its tail."""

    __slots__ = ("flag", "id", "info", "kind", "name", "refers", "string", "tail", "vlen")

    def __init__(
        self, type_id: int, words: Words, at: int, end: int, string: Callable[[int], str]
    ) -> None:
        name_off, self.info, self.refers = words[at : at + RECORD_WORDS]  # a size for some kinds
        self.id = type_id
        self.name = string(name_off)
        self.string = string
        self.kind = kind_of(self.info)
        self.vlen = vlen_of(self.info)
        self.flag = flag_of(self.info)
        self.tail = words[at + RECORD_WORDS : end].tolist()


def decode(record: Record) -> t.Type:
    """Make the type of a record whose kind is known (KeyError otherwise)."""
    return _DECODERS[record.kind](record)


def references(decoded: t.Type) -> Sequence[int]:
    """The ids of all types that a type refers to."""
    match decoded:
        case t.Ptr() | t.Modifier() | t.Var() | t.DeclTag():
            return (decoded.type_id,)
        case t.Struct():
            return [member.type_id for member in decoded.members]
        case t.Array():
            return (decoded.elem_type_id, decoded.index_type_id)
        case t.FuncProto():
            return [decoded.return_type_id, *(param.type_id for param in decoded.params)]
        case t.Func():
            return (decoded.proto_id,)
        case t.Datasec():
            return [var.type_id for var in decoded.vars]
        case _:
            return ()


def signed32(word: int) -> int:
    """A 32-bit word read as two's complement."""
    return word - (1 << 32) if word >> 31 else word


def signed64(word: int) -> int:
    """A 64-bit word read as two's complement."""
    return word - (1 << 64) if word >> 63 else word


def _int(r: Record) -> t.Type:
    word = r.tail[0]
    return t.Int(r.id, r.name, r.refers, word >> 24 & 0xF, word >> 16 & 0xFF, word & 0xFF)


def _array(r: Record) -> t.Type:
    return t.Array(r.id, r.name, *r.tail)


def _struct(r: Record) -> t.Type:
    tail, string, member = r.tail, r.string, t.Member
    rows = zip(map(string, tail[::3]), tail[1::3], tail[2::3], strict=True)
    # With kind_flag the upper 8 bits are a bit-field's width, without it the offset has all 32.
    members = (
        [member(name, type_id, word & 0xFFFFFF, word >> 24) for name, type_id, word in rows]
        if r.flag
        else [member(name, type_id, word) for name, type_id, word in rows]
    )
    return t.Struct(r.id, r.name, r.refers, tuple(members), is_union=r.kind == Kind.UNION)


def _enum(r: Record) -> t.Type:
    tail, string = r.tail, r.string
    values = tuple(
        t.EnumValue(string(name_off), signed32(word) if r.flag else word)
        for name_off, word in zip(tail[::2], tail[1::2], strict=True)
    )
    return t.Enum(r.id, r.name, r.refers, r.flag, values)


def _enum64(r: Record) -> t.Type:
    tail, string = r.tail, r.string
    values = []
    for name_off, low, high in zip(tail[::3], tail[1::3], tail[2::3], strict=True):
        word = high << 32 | low
        values.append(t.EnumValue(string(name_off), signed64(word) if r.flag else word))
    return t.Enum(r.id, r.name, r.refers, r.flag, tuple(values), is64=True)


def _func_proto(r: Record) -> t.Type:
    pairs = zip(r.tail[::2], r.tail[1::2], strict=True)
    params = tuple(t.Param(r.string(name_off), type_id) for name_off, type_id in pairs)
    return t.FuncProto(r.id, r.name, r.refers, params)


def _datasec(r: Record) -> t.Type:
    triples = zip(r.tail[::3], r.tail[1::3], r.tail[2::3], strict=True)
    return t.Datasec(r.id, r.name, r.refers, tuple(t.VarSecinfo(*triple) for triple in triples))


_DECODERS: dict[int, Callable[[Record], t.Type]] = {
    Kind.INT: _int,
    Kind.PTR: lambda r: t.Ptr(r.id, r.name, r.refers),
    Kind.ARRAY: _array,
    Kind.STRUCT: _struct,
    Kind.UNION: _struct,
    Kind.ENUM: _enum,
    Kind.FWD: lambda r: t.Fwd(r.id, r.name, r.flag),
    Kind.TYPEDEF: lambda r: t.Typedef(r.id, r.name, r.refers),
    Kind.VOLATILE: lambda r: t.Volatile(r.id, r.name, r.refers),
    Kind.CONST: lambda r: t.Const(r.id, r.name, r.refers),
    Kind.RESTRICT: lambda r: t.Restrict(r.id, r.name, r.refers),
    Kind.FUNC: lambda r: t.Func(r.id, r.name, r.refers, r.vlen),
    Kind.FUNC_PROTO: _func_proto,
    Kind.VAR: lambda r: t.Var(r.id, r.name, r.refers, r.tail[0]),
    Kind.DATASEC: _datasec,
    Kind.FLOAT: lambda r: t.Float(r.id, r.name, r.refers),
    Kind.DECL_TAG: lambda r: t.DeclTag(r.id, r.name, r.refers, signed32(r.tail[0]), r.flag),
    Kind.TYPE_TAG: lambda r: t.TypeTag(r.id, r.name, r.refers, r.flag),
    Kind.ENUM64: _enum64,
}
