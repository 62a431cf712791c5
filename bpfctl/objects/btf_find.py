"""Types by name: in the running kernel and its modules, or in types from elsewhere."""

from __future__ import annotations

from bpfctl.btf.shown import KIND_WORDS, find_types, shown_type
from bpfctl.btf.types import Enum, Kind
from bpfctl.errors import NotFoundError
from bpfctl.objects.btf import kernel_btf
from bpfctl.objects.btf_source import module_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.shown import ShownType

_COMPARED: Final = 3
_OBJECT: Final = "a BTF object of a name: btf show name NAME"


def types_called(
    name: str, word: str = "type", btf: Btf | None = None, *, expand: bool = False
) -> list[ShownType]:
    """All types of a name; `word` is a key of KIND_WORDS.

    Without `btf` it is the running kernel, and each of its modules where it has none.
    Raises: NotFoundError with similar names, BtfError for broken types.
    """
    kinds = KIND_WORDS[word]
    for origin, types in [("", btf)] if btf else _of_kernel():
        own = find_types(types, name, kinds)
        if origin != "vmlinux" and types.base and not btf:
            own = [one for one in own if one >= types.first_id]
        if own:
            return [shown_type(types, one, expand=expand, origin=origin) for one in own]
    raise _missing(name, word, btf or kernel_btf())


def _of_kernel() -> Iterator[tuple[str, Btf]]:
    base = kernel_btf()
    yield "vmlinux", base
    yield from module_files(base)


def _missing(name: str, word: str, btf: Btf) -> NotFoundError:
    import difflib

    kinds = KIND_WORDS[word]
    constant = _constant(name, btf)
    if constant:
        return NotFoundError(f'"{name}" is no type', code="btf-type-missing", remedy=constant)
    names = {name for name in map(btf.name, btf.ids(kinds)) if name}
    # Comparing with a hundred thousand functions takes seconds: first letters are seldom wrong.
    near = difflib.get_close_matches(
        name, sorted(one for one in names if one[:2] == name[:2]), _COMPARED
    )
    what = "type" if word == "type" else word
    return NotFoundError(
        f'there is no {what} called "{name}"',
        code="btf-type-missing",
        remedy=f"did you mean {' or '.join(near)}?" if near else _OBJECT,
    )


def _constant(name: str, btf: Btf) -> str:
    """Say which enumeration has a constant of a name; "" where none has."""
    for type_id in btf.ids((Kind.ENUM, Kind.ENUM64)):
        found = btf.type(type_id)
        values = found.values if isinstance(found, Enum) else ()
        for one in values:
            if one.name == name:
                owner = f"enum {found.name}" if found.name else "an enum without a name"
                return f"it is a constant of {owner}: {name} = {one.value}"
    return ""
