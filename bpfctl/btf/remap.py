"""A type with other ids in place of those it refers to."""

from __future__ import annotations

from bpfctl.btf import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def remapped(old: t.Type, new_id: Callable[[int], int]) -> t.Type:
    """The type as it is written where its ids have become `new_id` of them; its own stays."""
    match old:
        case t.Struct():
            members = tuple(
                t.Member(one.name, new_id(one.type_id), one.offset_bits, one.bitfield_bits)
                for one in old.members
            )
            return t.Struct(old.id, old.name, old.size_bytes, members, old.is_union)
        case t.Array():
            elem, index = new_id(old.elem_type_id), new_id(old.index_type_id)
            return t.Array(old.id, old.name, elem, index, old.nelems)
        case t.FuncProto():
            params = tuple(t.Param(one.name, new_id(one.type_id)) for one in old.params)
            return t.FuncProto(old.id, old.name, new_id(old.return_type_id), params)
        case t.Func():
            return t.Func(old.id, old.name, new_id(old.proto_id), old.linkage)
        case t.Var():
            return t.Var(old.id, old.name, new_id(old.type_id), old.linkage)
        case t.Datasec():
            places = tuple(
                t.VarSecinfo(new_id(one.type_id), one.offset, one.size_bytes) for one in old.vars
            )
            return t.Datasec(old.id, old.name, old.size_bytes, places)
        case _:
            return _small(old, new_id)


def _small(old: t.Type, new_id: Callable[[int], int]) -> t.Type:
    """The kinds that refer to one type, or to none."""
    match old:
        case t.TypeTag():
            return t.TypeTag(old.id, old.name, new_id(old.type_id), old.is_attribute)
        case t.DeclTag():
            target = new_id(old.type_id)
            return t.DeclTag(old.id, old.name, target, old.component_idx, old.is_attribute)
        case t.Ptr() | t.Modifier():
            return type(old)(old.id, old.name, new_id(old.type_id))
        case _:
            return old
