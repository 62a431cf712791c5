"""One type with all that can be said about it: a struct's layout, a function's signature."""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.c_names import declaration, signature, type_name
from bpfctl.btf.members import inside
from bpfctl.btf.raw import NAMELESS, to_json
from bpfctl.btf.types import Kind
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any, Final

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.members import Inside

# The words that C writes before a name, and those of kinds that it has no word for.
KIND_WORDS: Final[dict[str, tuple[Kind, ...]]] = {
    "struct": (Kind.STRUCT, Kind.FWD),
    "union": (Kind.UNION, Kind.FWD),
    "enum": (Kind.ENUM, Kind.ENUM64),
    "typedef": (Kind.TYPEDEF,),
    "func": (Kind.FUNC,),
    "var": (Kind.VAR,),
    "type": tuple(kind for kind in Kind if kind not in (Kind.VOID, Kind.DECL_TAG, Kind.TYPE_TAG)),
}


@plain
class ShownType:
    """A type, told apart from others of its name by `id` and `origin` ("vmlinux", a module).

    `text` is its declaration in C without a body. `layout` is that of a struct or union, also of
    the anonymous one a typedef stands for.
    """

    id: int
    kind: Kind
    name: str
    text: str
    size_bytes: int | None
    layout: Inside | None
    constants: tuple[t.EnumValue, ...]
    record: dict[str, Any]
    origin: str = ""

    def to_json(self) -> dict[str, Any]:
        """The keys of `btf dump`, with the declaration, size and layout."""
        more: dict[str, Any] = {"declaration": self.text}
        if self.size_bytes is not None:
            more["size"] = self.size_bytes
        if self.origin:
            more["origin"] = self.origin
        return self.record | more | (self.layout.to_json() if self.layout else {})


def find_types(btf: Btf, name: str, kinds: Collection[Kind]) -> list[int]:
    """The ids of the types of that name and of one of the kinds, those of the base included.

    What is only declared counts only where nothing is defined.
    """
    found = btf.find_all(name, kinds)
    defined = [i for i in found if btf.kind_number(i) != Kind.FWD]
    return defined or found


def shown_type(btf: Btf, type_id: int, *, expand: bool = False, origin: str = "") -> ShownType:
    """All about one type. Raises: BtfError for broken types."""
    found = btf.type(type_id)
    struct = _struct(btf, found)
    return ShownType(
        id=type_id,
        kind=found.kind,
        name=found.name or NAMELESS,
        text=_text(btf, found),
        size_bytes=_size(btf, found),
        layout=inside(btf, struct, expand=expand) if struct else None,
        constants=found.values if isinstance(found, t.Enum) else (),
        record=_record(btf, found),
        origin=origin,
    )


def _struct(btf: Btf, found: t.Type) -> t.Struct | None:
    if isinstance(found, t.Typedef):
        found = btf.type(btf.skip_modifiers(found.id))
        return found if isinstance(found, t.Struct) and not found.name else None
    return found if isinstance(found, t.Struct) else None


def _size(btf: Btf, found: t.Type) -> int | None:
    behind = btf.type(btf.skip_modifiers(found.id))
    if isinstance(behind, t.Void | t.Func | t.FuncProto | t.Fwd | t.DeclTag):
        return None
    return btf.size_of(found.id)


def _text(btf: Btf, found: t.Type) -> str:
    match found:
        case t.Func():
            return signature(btf, btf.func_proto(found.id), found.name)
        case t.FuncProto():
            return signature(btf, found, "")
        case t.Typedef():
            return " ".join(("typedef", *declaration(btf, found.type_id, found.name)))
        case t.Var():
            return " ".join(declaration(btf, found.type_id, found.name))
        case _:
            return type_name(btf, found.id)


def _record(btf: Btf, found: t.Type) -> dict[str, Any]:
    record = to_json(found)
    if not isinstance(found, t.Func):
        return record
    proto = btf.func_proto(found.id)
    params = [
        {"name": one.name or NAMELESS, "type": type_name(btf, one.type_id), "type_id": one.type_id}
        for one in proto.params
    ]
    returned = {"type": type_name(btf, proto.return_type_id), "type_id": proto.return_type_id}
    return record | {"returns": returned, "params": params}
