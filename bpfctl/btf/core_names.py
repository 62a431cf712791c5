"""Names as CO-RE compares them: flavours do not count."""

from __future__ import annotations

from bpfctl.btf.types import Fwd, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.types import Type

_SEPARATOR: Final = "___"

_KIND_WORDS: Final = {
    Kind.STRUCT: "struct",
    Kind.UNION: "union",
    Kind.ENUM: "enum",
    Kind.ENUM64: "enum",
    Kind.TYPEDEF: "typedef",
    Kind.FUNC: "function",
    Kind.INT: "type",
    Kind.FLOAT: "type",
    Kind.FUNC_PROTO: "function prototype",
}


def essential_name(name: str) -> str:
    """Cut the flavour off: "task_struct___old" is "task_struct" for the kernel.

    A flavour begins at the last three underscores that have something else on both sides.
    Source: "flavors" in Documentation/bpf/libbpf/libbpf_overview.rst and libbpf's relo_core.c
    (behaviour, libbpf 1.6).
    """
    at = name.rfind(_SEPARATOR)
    while at > 0:
        after = name[at + len(_SEPARATOR) : at + len(_SEPARATOR) + 1]
        if after not in ("", "_") and name[at - 1] != "_":
            return name[:at]
        at = name.rfind(_SEPARATOR, 0, at + len(_SEPARATOR) - 1)
    return name


def same_essential_name(one: str, other: str) -> bool:
    """Whether two names are the same but for flavours."""
    return one == other or essential_name(one) == essential_name(other)


def describe(found: Type) -> str:
    """Word a type as C would ("struct task_struct", "enum (anon)")."""
    if isinstance(found, Fwd):
        word = "union" if found.is_union else "struct"
    else:
        word = _KIND_WORDS.get(found.kind, found.kind.name.lower().replace("_", " "))
    return f"{word} {found.name or '(anon)'}"
