"""Rewrite type information for kernels that do not know all of its kinds.

What a kernel does not know becomes something it knows, of the same size and at the same id: line
info, function info and maps refer to ids, and .BTF.ext to string offsets, so both stay. The
replacements are those of libbpf (bpf_object__sanitize_btf, libbpf 1.5), save for ENUM64: libbpf
appends a type for it, and we keep the number of types.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import UsageError

# What a kernel may lack, and the first version that has it.
SINCE = {
    "func": "5.0",
    "datasec": "5.2",
    "empty_datasec": "5.12",  # sections without variables, commit 13ca51d5eb35
    "func_global": "5.6",
    "float": "5.13",
    "decl_tag": "5.16",
    "type_tag": "5.17",
    "enum64": "6.0",
    "qmark_datasec": "6.9",  # section names that begin with "?"
    "layout": "7.1",  # the header's fields for the layout section
}


def sanitize(data: bytes, missing: frozenset[str], *, path: str = "") -> bytes:
    """Give the blob without what is `missing` (keys of `SINCE`) from the kernel.

    Ids, their number and all string offsets stay; the header is the short one every kernel reads.
    Raises: BtfError for a blob that cannot be read whole, UsageError for an unknown key.
    """
    unknown = missing - SINCE.keys()
    if unknown:
        raise UsageError(f"no kernel feature of type information is called {min(unknown)!r}")
    if not missing:
        return data
    btf = Btf.parse(data, path=path)
    strings = btf.data[btf.header.str_off : btf.header.str_off + btf.header.str_len]
    builder = BtfBuilder(btf.order, strings=strings)
    for type_id in range(1, len(btf)):
        builder.add(_known(btf, btf.type(type_id), missing))
    return builder.build()


def _known(btf: Btf, old: t.Type, missing: frozenset[str]) -> t.Type:
    """The type itself, or what stands in for it."""
    lacks = missing.__contains__
    match old:
        case t.Func() if lacks("func"):
            return t.Typedef(old.id, old.name, old.proto_id)
        case t.Func() if lacks("func_global"):
            return t.Func(old.id, old.name, old.proto_id, t.FuncLinkage.STATIC)
        case t.FuncProto() if lacks("func"):
            return _enum_of_params(old)
        case t.Datasec() if lacks("datasec") or (lacks("empty_datasec") and not old.vars):
            return _struct_of_vars(btf, old)
        case t.Datasec() if lacks("qmark_datasec"):
            return t.Datasec(old.id, old.name.replace("?", "_"), old.size_bytes, old.vars)
        case t.Var() if lacks("datasec"):
            return _smallest_int(old.id, old.name)
        case t.DeclTag() if lacks("decl_tag"):
            return _smallest_int(old.id, "")
        case t.TypeTag() if lacks("type_tag"):
            return t.Const(old.id, "", old.type_id)
        case t.Float() if lacks("float"):
            return t.Struct(old.id, "", old.size_bytes, ())
        case t.Enum() if lacks("enum64"):
            return _old_enum(btf, old)
        case _:
            return old


def _smallest_int(type_id: int, name: str) -> t.Int:
    """An integer of one byte: it fits wherever a member of that type lies."""
    return t.Int(type_id, name, size_bytes=1, encoding=0, offset_bits=0, bits=8)


def _struct_of_vars(btf: Btf, old: t.Datasec) -> t.Struct:
    """A section as a struct with the variables as members (they become integers of one byte)."""
    members = tuple(
        t.Member(btf.name(var.type_id), var.type_id, var.offset * 8)
        for var in sorted(old.vars, key=lambda var: var.offset)
    )
    return t.Struct(old.id, _identifier(old.name), old.size_bytes, members)


def _identifier(name: str) -> str:
    """A section's name as the kernel wants a struct's: dots and the like become underscores."""
    return "".join(char if char.isascii() and char.isalnum() else "_" for char in name)


def _enum_of_params(old: t.FuncProto) -> t.Enum:
    """A prototype as an enumeration with the parameters as constants, each with a name."""
    values = tuple(
        t.EnumValue(param.name or f"param{index}", param.type_id)
        for index, param in enumerate(old.params)
    )
    return t.Enum(old.id, "", 4, signed=False, values=values)


def _old_enum(btf: Btf, old: t.Enum) -> t.Type:
    """An enumeration without a sign, or where 32 bits are too few, a union with the names."""
    if not old.is64 or all(-(1 << 31) <= value.value < 1 << 32 for value in old.values):
        return t.Enum(old.id, old.name, old.size_bytes, signed=False, values=old.values)
    fitting = _int_within(btf, old.size_bytes)
    members = [t.Member(value.name, fitting, 0) for value in old.values] if fitting else []
    return t.Struct(old.id, old.name, old.size_bytes, tuple(members), is_union=True)


def _int_within(btf: Btf, size_bytes: int) -> int | None:
    """The first integer of the blob that is no larger."""
    for type_id in range(1, len(btf)):
        if btf.kind_number(type_id) == t.Kind.INT and btf.size_of(type_id) <= size_bytes:
            return type_id
    return None
