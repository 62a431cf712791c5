"""Types one by one, as they are stored, with the keys and words of `bpftool btf dump`."""

from __future__ import annotations

from bpfctl.btf import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from bpfctl.btf.decode import Btf

NAMELESS: Final = "(anon)"
_FUNC_LINKAGES: Final = {0: "static", 1: "global", 2: "extern"}
_ENCODINGS: Final = {0: "(none)", 1: "SIGNED", 2: "CHAR", 4: "BOOL"}
# The keys of lists, which a line of text has a line of its own for each element of.
_LISTS: Final = ("members", "values", "params", "vars")


def to_json(found: t.Type) -> dict[str, Any]:
    """A type by bpftool's keys, in its order."""
    head = {"id": found.id, "kind": found.kind.name, "name": found.name or NAMELESS}
    return head | _FIELDS[type(found)](found)


def to_text(btf: Btf, found: t.Type, clean: Callable[[str], str] = str) -> str:
    """A type as bpftool writes it: a line, and one for each member, value, parameter, variable.

    `clean` makes names fit for where the text goes: a terminal must not obey them.
    """
    record = to_json(found)
    words = [f"[{record.pop('id')}] {record.pop('kind')} '{clean(record.pop('name'))}'"]
    lists = [record.pop(key) for key in _LISTS if key in record]
    comma = "," if isinstance(found, t.Var) else ""
    words += [f"{key}={value}{comma if key == 'type_id' else ''}" for key, value in record.items()]
    lines = [" ".join(words)]
    lines += [f"\t{_element(btf, found, one, clean)}" for elements in lists for one in elements]
    return "\n".join(lines) + "\n"


def _element(btf: Btf, found: t.Type, element: dict[str, Any], clean: Callable[[str], str]) -> str:
    words = [f"{key}={value}" for key, value in element.items() if key != "name"]
    if isinstance(found, t.Datasec):
        variable = btf.type(element["type_id"])
        return " ".join([*words, f"({variable.kind.name} '{clean(variable.name)}')"])
    if isinstance(found, t.Enum) and found.is64:
        words = [words[0] + ("LL" if found.signed else "ULL")]
    return " ".join([f"'{clean(element['name'])}'", *words])


def _int(found: t.Int) -> dict[str, Any]:
    encoding = _ENCODINGS.get(found.encoding, "UNKN")
    place = {"bits_offset": found.offset_bits, "nr_bits": found.bits}
    return {"size": found.size_bytes, **place, "encoding": encoding}


def _array(found: t.Array) -> dict[str, Any]:
    ids = {"type_id": found.elem_type_id, "index_type_id": found.index_type_id}
    return {**ids, "nr_elems": found.nelems}


def _struct(found: t.Struct) -> dict[str, Any]:
    members = [_member(one) for one in found.members]
    return {"size": found.size_bytes, "vlen": len(members), "members": members}


def _member(one: t.Member) -> dict[str, Any]:
    place = {"type_id": one.type_id, "bits_offset": one.offset_bits}
    bits = {"bitfield_size": one.bitfield_bits} if one.bitfield_bits else {}
    return {"name": one.name or NAMELESS, **place, **bits}


def _enum(found: t.Enum) -> dict[str, Any]:
    values = [{"name": one.name or NAMELESS, "val": one.value} for one in found.values]
    encoding = "SIGNED" if found.signed else "UNSIGNED"
    numbers = {"size": found.size_bytes, "vlen": len(values)}
    return {"encoding": encoding, **numbers, "values": values}


def _proto(found: t.FuncProto) -> dict[str, Any]:
    params = [{"name": one.name or NAMELESS, "type_id": one.type_id} for one in found.params]
    return {"ret_type_id": found.return_type_id, "vlen": len(params), "params": params}


def _datasec(found: t.Datasec) -> dict[str, Any]:
    places = [
        {"type_id": one.type_id, "offset": one.offset, "size": one.size_bytes} for one in found.vars
    ]
    return {"size": found.size_bytes, "vlen": len(places), "vars": places}


def _func(found: t.Func) -> dict[str, Any]:
    linkage = _FUNC_LINKAGES.get(found.linkage, "(unknown)")
    return {"type_id": found.proto_id, "linkage": linkage}


def _var(found: t.Var) -> dict[str, Any]:
    linkage = _FUNC_LINKAGES.get(found.linkage, "(unknown)")  # variables have the same words
    return {"type_id": found.type_id, "linkage": linkage}


def _tag(found: t.DeclTag) -> dict[str, Any]:
    return {"type_id": found.type_id, "component_idx": found.component_idx}


def _refers(found: t.Ptr | t.Modifier) -> dict[str, Any]:
    return {"type_id": found.type_id}


_FIELDS: Final[dict[type[t.Type], Callable[..., dict[str, Any]]]] = {
    t.Int: _int,
    t.Float: lambda found: {"size": found.size_bytes},
    t.Array: _array,
    t.Struct: _struct,
    t.Enum: _enum,
    t.Fwd: lambda found: {"fwd_kind": "union" if found.is_union else "struct"},
    t.FuncProto: _proto,
    t.Func: _func,
    t.Var: _var,
    t.Datasec: _datasec,
    t.DeclTag: _tag,
    **dict.fromkeys((t.Ptr, t.Const, t.Volatile, t.Restrict, t.Typedef, t.TypeTag), _refers),
}
