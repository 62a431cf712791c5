"""From the record of a type to the type: one small function per kind.

Source: include/uapi/linux/btf.h, Linux 6.18.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.kinds import Kind
from bpfctl.btf.records import signed32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from bpfctl.btf.records import Record


def decode(record: Record, string: Callable[[int], str]) -> t.Type:
    """Make the type of a record whose kind is known (KeyError otherwise)."""
    return _DECODERS[record.kind](record, string)


def _int(r: Record, _: Callable[[int], str]) -> t.Type:
    word = r.tail[0]
    return t.Int(r.id, r.name, r.refers, word >> 24 & 0xF, word >> 16 & 0xFF, word & 0xFF)


def _struct(r: Record, string: Callable[[int], str]) -> t.Type:
    members = tuple(map(t.Member, map(string, r.names()), r.references, *r.places()))
    return t.Struct(r.id, r.name, r.refers, members, is_union=r.kind is Kind.UNION)


def _enum(r: Record, string: Callable[[int], str]) -> t.Type:
    values = tuple(map(t.EnumValue, map(string, r.names()), r.constants()))
    return t.Enum(r.id, r.name, r.refers, r.flag, values, is64=r.kind is Kind.ENUM64)


def _func_proto(r: Record, string: Callable[[int], str]) -> t.Type:
    params = tuple(map(t.Param, map(string, r.names()), r.tail[1::2]))
    return t.FuncProto(r.id, r.name, r.refers, params)


def _datasec(r: Record, _: Callable[[int], str]) -> t.Type:
    places = tuple(map(t.VarSecinfo, r.tail[::3], r.tail[1::3], r.tail[2::3]))
    return t.Datasec(r.id, r.name, r.refers, places)


def _refers(made: Callable[[int, str, int], t.Type]) -> Callable[..., t.Type]:
    """For what refers to one type and has no more to it."""
    return lambda r, _: made(r.id, r.name, r.refers)


_DECODERS: Final[dict[int, Callable[[Record, Callable[[int], str]], t.Type]]] = {
    Kind.VOID: lambda *_: t.Void(),
    Kind.INT: _int,
    Kind.PTR: _refers(t.Ptr),
    Kind.ARRAY: lambda r, _: t.Array(r.id, r.name, *r.tail),
    Kind.STRUCT: _struct,
    Kind.UNION: _struct,
    Kind.ENUM: _enum,
    Kind.FWD: lambda r, _: t.Fwd(r.id, r.name, r.flag),
    Kind.TYPEDEF: _refers(t.Typedef),
    Kind.VOLATILE: _refers(t.Volatile),
    Kind.CONST: _refers(t.Const),
    Kind.RESTRICT: _refers(t.Restrict),
    Kind.FUNC: lambda r, _: t.Func(r.id, r.name, r.refers, r.vlen),
    Kind.FUNC_PROTO: _func_proto,
    Kind.VAR: lambda r, _: t.Var(r.id, r.name, r.refers, r.tail[0]),
    Kind.DATASEC: _datasec,
    Kind.FLOAT: _refers(t.Float),
    Kind.DECL_TAG: lambda r, _: t.DeclTag(r.id, r.name, r.refers, signed32(r.tail[0]), r.flag),
    Kind.TYPE_TAG: lambda r, _: t.TypeTag(r.id, r.name, r.refers, r.flag),
    Kind.ENUM64: _enum,
}
