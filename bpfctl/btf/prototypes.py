"""Prototypes of functions in C, and where two of them differ for the kernel.

A function that replaces another has to have the same prototype. What counts as the same is the
kernel's rule: the number of parameters, the kinds and sizes of types behind typedefs and
qualifiers, and the names of structs (btf_check_func_type_match, kernel/bpf/btf.c, Linux 5.6).
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.c_names import type_name
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf

_MAX_DEPTH: Final = 32
_STATIC: Final = 0  # BTF_FUNC_STATIC, include/uapi/linux/btf.h


class Prototype(NamedTuple):
    """A function as C declares it, in pieces: `static`, the result and name, the parameters."""

    linkage: str
    result: str
    name: str
    params: tuple[str, ...]

    def __str__(self) -> str:
        gap = "" if self.result.endswith("*") else " "
        return f"{self.linkage}{self.result}{gap}{self.name}({', '.join(self.params) or 'void'})"


class Mismatch(NamedTuple):
    """Where two prototypes differ: `start` and `width` in the second one's text, and in words."""

    start: int
    width: int
    words: str


def prototype(btf: Btf, function: int) -> Prototype:
    """The prototype of a function, its parameters with their names. Raises: BtfError."""
    func, proto = _read(btf, function)
    return Prototype(
        "static " if func.linkage == _STATIC else "",
        type_name(btf, proto.return_type_id) if proto.return_type_id else "void",
        func.name,
        tuple(_param(btf, one) for one in proto.params),
    )


def mismatch(ours: tuple[Btf, int], theirs: tuple[Btf, int]) -> Mismatch | None:
    """The first difference that the kernel minds; None where the prototypes are the same to it.

    `theirs` is compared with `ours`, and the place is in the text of `theirs`. Raises: BtfError.
    """
    (_, first), (func, second) = _read(*ours), _read(*theirs)
    shown = prototype(*theirs)
    if func.linkage == _STATIC:
        return Mismatch(0, len("static"), "static functions are not replaced, nor do they replace")
    if len(first.params) != len(second.params):
        return _other_count(shown, len(first.params))
    words = _difference(ours[0], first.return_type_id, theirs[0], second.return_type_id)
    if words:
        return Mismatch(len(shown.linkage), len(shown.result), f"the result {words}")
    for at, (one, other) in enumerate(zip(first.params, second.params, strict=True)):
        words = _difference(ours[0], one.type_id, theirs[0], other.type_id)
        if words:
            return _at(shown, at, f"argument {at + 1} {words}")
    return None


def _read(btf: Btf, function: int) -> tuple[t.Func, t.FuncProto]:
    func = btf.type(function)
    if not isinstance(func, t.Func):
        raise btf.error(f"type {function} is no function", function)
    proto = btf.type(func.proto_id)
    if not isinstance(proto, t.FuncProto):
        raise btf.error(f"function {func.name} has no prototype", function)
    return func, proto


def _param(btf: Btf, param: t.Param) -> str:
    if not param.type_id:
        return "..."
    text = type_name(btf, param.type_id)
    if not param.name:
        return text
    return f"{text}{param.name}" if text.endswith("*") else f"{text} {param.name}"


def _at(shown: Prototype, param: int, words: str) -> Mismatch:
    """The place of a parameter in the text of its prototype."""
    before = len(str(shown._replace(params=()))) - len("void)")
    start = before + sum(len(one) + 2 for one in shown.params[:param])
    return Mismatch(start, len(shown.params[param]), words)


def _other_count(shown: Prototype, wanted: int) -> Mismatch:
    """Mark the parameters that are too many, or all where some are missing."""
    have = len(shown.params)
    words = f"{have} argument{'' if have == 1 else 's'} instead of {wanted}"
    whole = str(shown)
    first = wanted if have > wanted else 0
    start = _at(shown, first, "").start if have else len(whole) - len("void)")
    return Mismatch(start, len(whole) - 1 - start, words)


def _difference(ours: Btf, one: int, theirs: Btf, other: int) -> str:
    """Say how a type differs from another; empty where the kernel takes them for the same."""
    first, second = _bare(ours, one), _bare(theirs, other)
    if (first.kind, _is_union(first)) != (second.kind, _is_union(second)):
        return f"is {_words(theirs, other)}, not {_words(ours, one)}"
    sizes = [getattr(found, "size_bytes", None) for found in (first, second)]
    if sizes[0] != sizes[1]:
        return f"has {sizes[1]} bytes, not {sizes[0]}"
    if isinstance(first, t.Ptr) and isinstance(second, t.Ptr):
        return _pointed(ours, first, theirs, second)
    return ""


def _pointed(ours: Btf, one: t.Ptr, theirs: Btf, other: t.Ptr) -> str:
    names = [_bare(ours, one.type_id), _bare(theirs, other.type_id)]
    if all(isinstance(found, t.Struct) and found.name == names[0].name for found in names):
        return ""
    return f"is {_words(theirs, other.id)}, not {_words(ours, one.id)}"


def _words(btf: Btf, type_id: int) -> str:
    return type_name(btf, type_id) if type_id else "void"


def _is_union(found: t.Type) -> bool:
    return isinstance(found, t.Struct) and found.is_union


def _bare(btf: Btf, type_id: int) -> t.Type:
    """The type behind typedefs and qualifiers."""
    for _ in range(_MAX_DEPTH):
        found = btf.type(type_id)
        if not isinstance(found, t.Typedef | t.Modifier):
            return found
        type_id = found.type_id
    raise btf.error("typedefs without end", type_id)
