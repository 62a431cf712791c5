"""Types as C writes them, short: for messages and tables, not for a compiler."""

from __future__ import annotations

from bpfctl.btf import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf

MAX_DEPTH = 24  # what is nested deeper is hostile, and shown as "..."
_QUALIFIERS: dict[type[t.Type], str] = {
    t.Const: "const",
    t.Volatile: "volatile",
    t.Restrict: "restrict",
}


def type_name(btf: Btf, type_id: int) -> str:
    """A type with all its stars and brackets ("char *[4]", "int (*)(void *)").

    Prototypes inside of prototypes are cut to "(...)". Raises: BtfError for broken types.
    """
    base, declarator = _split(btf, type_id, "")
    return f"{base} {declarator}".rstrip() if declarator else base


def declaration(btf: Btf, type_id: int, name: str) -> tuple[str, str]:
    """What stands before the blank of a declaration, and what behind it ("int", "(*name)(void)").

    Raises: BtfError for broken types.
    """
    return _split(btf, type_id, name)


def signature(btf: Btf, proto: t.FuncProto, name: str) -> str:
    """The prototype of a function with the names of its parameters, without a semicolon."""
    words = [
        " ".join(_split(btf, one.type_id, one.name)).rstrip() if one.type_id else "..."
        for one in proto.params
    ]
    inner = f"{name}({', '.join(words) or 'void'})"
    return " ".join(_split(btf, proto.return_type_id, inner))


def _split(btf: Btf, type_id: int, inner: str) -> tuple[str, str]:
    """Walk from the outside to the base type; `inner` is the declarator built so far."""
    qualifiers: list[str] = []
    for _ in range(MAX_DEPTH):
        found = btf.type(type_id)
        match found:
            case t.Const() | t.Volatile() | t.Restrict():
                qualifiers.append(_QUALIFIERS[type(found)])
                type_id = found.type_id
            case t.TypeTag():
                type_id = found.type_id
            case t.Ptr():
                inner = _pointer(qualifiers, inner)
                qualifiers, type_id = [], found.type_id
            case t.Array():
                inner = f"{_grouped(inner)}[{found.nelems or ''}]"
                type_id = found.elem_type_id
            case t.FuncProto():
                inner = f"{_grouped(inner)}({_params(btf, found)})"
                type_id = found.return_type_id
            case t.Func() | t.Var():
                inner = found.name + inner
                type_id = found.proto_id if isinstance(found, t.Func) else found.type_id
            case _:
                return " ".join([*reversed(qualifiers), _base_name(found)]), inner
    return "...", inner


def _pointer(qualifiers: list[str], inner: str) -> str:
    """Put a star before the declarator; qualifiers of the pointer itself follow the star."""
    words = " ".join(reversed(qualifiers))
    gap = " " if words and inner and inner[0] not in "[(" else ""
    return f"*{words}{gap}{inner}"


def _grouped(inner: str) -> str:
    return f"({inner})" if inner.startswith("*") else inner


def _params(btf: Btf, proto: t.FuncProto) -> str:
    """The parameters' types. A parameter that is a function pointer is not followed."""
    words = []
    for param in proto.params:
        if not param.type_id:
            words.append("...")
        elif _leads_to_proto(btf, param.type_id):
            words.append("(...)")
        else:
            words.append(type_name(btf, param.type_id))
    return ", ".join(words) or "void"


def _leads_to_proto(btf: Btf, type_id: int) -> bool:
    for _ in range(MAX_DEPTH):
        found = btf.type(type_id)
        if isinstance(found, t.FuncProto | t.Func | t.Var):  # the latter two: only if broken
            return True
        if isinstance(found, t.Typedef) or not isinstance(found, t.Ptr | t.Modifier | t.Array):
            return False
        type_id = found.elem_type_id if isinstance(found, t.Array) else found.type_id
    return True


def _base_name(found: t.Type) -> str:
    name = found.name or "(anon)"
    match found:
        case t.Struct() | t.Fwd():
            return f"{'union' if found.is_union else 'struct'} {name}"
        case t.Enum():
            return f"enum {name}"
        case t.Datasec():
            return f"section {name}"
        case _:
            return name
