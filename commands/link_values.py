"""Numbers and `key value` pairs among the words of `link create`."""

from __future__ import annotations

from bpfctl.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_U64 = 1 << 64
_PID_LIMIT = 1 << 31


def number(text: str, what: str, limit: int = _U64, *, least: int = 0) -> int:
    """Read a decimal or 0x-hexadecimal number below `limit`. Raises: UsageError."""
    is_hex = text[:2].lower() == "0x"
    digits = text[2:] if is_hex else text
    try:  # int() takes blanks, signs and underscores too
        found = int(digits, 16 if is_hex else 10) if digits.isalnum() and digits.isascii() else -1
    except ValueError:
        found = -1
    if not least <= found < limit:
        raise UsageError(f'"{text}" is no {what}: expected a number from {least} to {limit - 1}')
    return found


def pairs(words: list[str], limits: Mapping[str, int], form: str) -> dict[str, int]:
    """Read `key number` pairs; `limits` has the keys there may be. Raises: UsageError."""
    found: dict[str, int] = {}
    while words:
        key, *words = words
        if key not in limits or key in found:
            raise UsageError(f'"{key}" is not expected there: {form}')
        if not words:
            raise UsageError(f'"{key}" wants a number after it: {form}')
        least = 1 if key in ("pid", "freq", "period") else 0
        found[key] = number(words[0], key, limits[key] or _U64, least=least)
        words = words[1:]
    return found


COOKIE = {"cookie": _U64}
PID = {"pid": _PID_LIMIT}
"""Keys and limits for `pairs`."""
