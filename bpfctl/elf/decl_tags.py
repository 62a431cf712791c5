"""Attributes of functions that the compiler keeps as declaration tags.

Source: Documentation/bpf/btf.rst (BTF_KIND_DECL_TAG, Linux 5.16); the words of tags are those of
tools/testing/selftests/bpf/bpf_experimental.h (exception callbacks, Linux 6.7).
"""

from __future__ import annotations

from bpfctl.btf.types import DeclTag, Func, FuncLinkage, Kind
from bpfctl.errors import ObjectFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.functions import Function

_EXCEPTION: Final = "exception_callback:"
_WHOLE: Final = -1  # component_idx of a tag for the function itself


def function_tags(btf: Btf) -> Iterator[DeclTag]:
    """The tags of functions and of their parameters, in the order of their ids."""
    for type_id in range(1, len(btf)):
        if btf.kind_number(type_id) == Kind.DECL_TAG:
            tag = btf.type(type_id)
            assert isinstance(tag, DeclTag)
            if btf.kind_number(tag.type_id) == Kind.FUNC:
                yield tag


def exception_callbacks(btf: Btf | None, functions: Iterable[Function]) -> dict[int, str]:
    """The key of the function that handles exceptions, by the type id of the one that wants it.

    Of several for one function none counts: the kernel then words what is wrong.
    Raises: ObjectFileError for a callback that is no visible function of the object.
    """
    if btf is None:
        return {}
    by_name: dict[str, Function] | None = None
    found: dict[int, list[str]] = {}
    for tag in function_tags(btf):
        if tag.component_idx != _WHOLE or not tag.name.startswith(_EXCEPTION):
            continue
        if by_name is None:
            by_name = {one.symbol.name: one for one in functions if not one.is_program}
        name = tag.name.removeprefix(_EXCEPTION)
        callback = by_name.get(name)
        if callback is None or not callback.is_global or callback.symbol.is_hidden:
            raise _no_callback(btf, tag, name)
        found.setdefault(tag.type_id, []).append(callback.key)
    return {type_id: keys[0] for type_id, keys in found.items() if len(keys) == 1}


def _no_callback(btf: Btf, tag: DeclTag, name: str) -> ObjectFileError:
    return ObjectFileError(
        f"{btf.name(tag.type_id)} wants {name or 'nothing'} to handle its exceptions, "
        "which is no visible function of the object",
        section=".BTF",
        offset=btf.record_offset(tag.id),
        remedy="the callback is a global function, neither static nor hidden, in .text",
    )


def is_global_function(btf: Btf, type_id: int) -> bool:
    """Whether a type is a function the kernel verifies by itself."""
    found = btf.type(type_id)
    return isinstance(found, Func) and found.linkage == FuncLinkage.GLOBAL
