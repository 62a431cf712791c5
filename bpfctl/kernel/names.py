"""Numbers of the UAPI as words and back. Unknown numbers survive as numbers."""

from __future__ import annotations

from bpfctl.plain_enum import IntEnum
from bpfctl.plain_typing import TypeVar

Kind = TypeVar("Kind", bound=IntEnum)


def label(kind: type[IntEnum], value: int) -> str | int:
    """Return the lower-case name of a value ("lru_hash"), or the number of an unknown one."""
    try:
        return kind(value).name.lower()
    except ValueError:
        return int(value)


def known(kind: type[Kind], value: int) -> Kind | int:
    """Return the member of an enum, or the number of a value that is newer than we are."""
    try:
        return kind(value)
    except ValueError:
        return int(value)


def number(kind: type[IntEnum], text: str) -> int | None:
    """Return the value of a name in any case ("lru_hash") or of a number as text, else None."""
    if text.isascii() and text.isdecimal():
        return int(text)
    member = kind.__members__.get(text.upper())
    return None if member is None else int(member)
