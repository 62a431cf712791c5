"""Where fields of the UAPI's structs lie."""

from __future__ import annotations

from functools import cache

from bpfctl.kernel.libc import ffi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@cache
def field_end(struct: str, path: str) -> int:
    """Return where a field ends, in bytes from the start ("union bpf_attr", "query.revision").

    For a bit field that is the end of the unit that holds it.
    Raises: KeyError for a field the struct does not have.
    """
    kind, end = ffi.typeof(struct), 0
    for name in path.split("."):
        kind, offset = _find(kind, name)
        end += offset
    return end + int(ffi.sizeof(kind))


def _find(kind: Any, name: str) -> tuple[Any, int]:
    """Find a member's type and offset, also inside anonymous members."""
    for label, field in getattr(kind, "fields", None) or ():  # a number has none
        if label == name:
            return field.type, int(field.offset)
        if not label:
            try:
                found, offset = _find(field.type, name)
            except KeyError:
                continue
            return found, int(field.offset) + offset
    raise KeyError(name)
