"""Where fields of the UAPI's structs lie."""

from __future__ import annotations

from bpfctl.kernel.libc import ffi
from bpfctl.plain_tools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@cache
def field_end(struct: str, path: str) -> int:
    """Return where a field ends, in bytes from the start ("union bpf_attr", "query.revision").

    For a bit field that is the end of the unit that holds it.
    Raises: KeyError for a field the struct does not have.
    """
    names = path.split(".")
    whole = ffi.new(f"{struct} *")
    try:
        field = ffi.addressof(whole[0], *names)
    except (KeyError, TypeError, ValueError):  # no such field, or a bit field
        return _end_by_list(ffi.typeof(struct), names)
    start = ffi.cast("char *", field) - ffi.cast("char *", whole)
    return int(start + ffi.sizeof(ffi.typeof(field).item))


def _end_by_list(kind: Any, names: list[str]) -> int:
    """Find a field by cffi's list of them, which takes ten times as long."""
    end = 0
    for name in names:
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
