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
from bpfctl.btf.history import HISTORY
from bpfctl.btf.layout import TAIL_WORDS
from bpfctl.errors import UsageError
from bpfctl.plain_typing import NamedTuple

KSYM_NAME_BYTES = 128  # with the zero at the end; before Linux 6.1


class Sanitized(NamedTuple):
    """A blob, and how many types of each kind (by name, or "kind 23") became something else."""

    data: bytes
    replaced: dict[str, int]


def sanitize(data: bytes, missing: frozenset[str], *, path: str = "") -> bytes:
    """Give the blob without what is `missing` (keys of HISTORY) from the kernel.

    Ids, their number and all string offsets stay; the header is the short one every kernel reads.
    Raises: BtfError for a blob that cannot be read whole, UsageError for an unknown key.
    """
    unknown = missing - HISTORY.keys()
    if unknown:
        raise UsageError(f"no kernel feature of type information is called {min(unknown)!r}")
    return sanitized(Btf.parse(data, path=path), missing).data if missing else data


def sanitized(btf: Btf, missing: frozenset[str]) -> Sanitized:
    """Rewrite types without what is `missing`, and without kinds newer than ours.

    Of those nothing is known but the size of their records, if they tell it: they become an
    integer of one byte. Split types stay split. Raises: BtfError.
    """
    span = slice(btf.header.str_off, btf.header.str_off + btf.header.str_len)
    base = btf.base
    builder = BtfBuilder(
        btf.order,
        first_id=btf.first_id,
        first_string=base.string_end if base else 0,
        strings=btf.data[span],
    )
    replaced: dict[str, int] = {}
    for type_id in range(btf.first_id, len(btf)):
        number = btf.kind_number(type_id)
        if number in TAIL_WORDS:
            old = btf.type(type_id)
            new, kind = _renamed(_known(btf, old, missing), missing), old.kind.name
        else:
            old, new, kind = None, _smallest_int(type_id, "unsigned char"), f"kind {number}"
        builder.add(new)
        if new is not old and new != old:
            replaced[kind] = replaced.get(kind, 0) + 1
    return Sanitized(builder.build(), replaced)


def _renamed(new: t.Type, missing: frozenset[str]) -> t.Type:
    """The type with its names, of members too, as long as the kernel takes them."""
    if "long_names" not in missing:
        return new
    if isinstance(new, t.Struct) and any(_is_long(one.name) for one in new.members):
        members = tuple(
            t.Member(_short(one.name), one.type_id, one.offset_bits, one.bitfield_bits)
            for one in new.members
        )
        new = t.Struct(new.id, new.name, new.size_bytes, members, new.is_union)
    elif isinstance(new, t.Enum) and any(_is_long(one.name) for one in new.values):
        values = tuple(t.EnumValue(_short(one.name), one.value) for one in new.values)
        new = t.Enum(new.id, new.name, new.size_bytes, new.signed, values, new.is64)
    if not _is_long(new.name) or isinstance(new, t.TypeTag | t.DeclTag):
        return new
    fields = {name: getattr(new, name) for name in new.__match_args__}
    return type(new)(**(fields | {"name": _short(new.name)}))


def _is_long(name: str) -> bool:
    return len(name) >= KSYM_NAME_BYTES


def _short(name: str) -> str:
    return name[: KSYM_NAME_BYTES - 1]


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
        case t.DeclTag() if lacks("decl_tag") or (old.is_attribute and lacks("tag_attributes")):
            return _smallest_int(old.id, "")
        case t.TypeTag() if lacks("type_tag") or (old.is_attribute and lacks("tag_attributes")):
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
