"""`id 7`, `name x`, `tag ab12`, `pinned PATH`, and the short forms `7`, `x`, `/sys/fs/bpf/x`."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.objects.select import Selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bpfctl.objects.ids import ObjectKind

_MAX_ID = 0xFFFFFFFF
_TAG_DIGITS = 16  # BPF_TAG_SIZE is 8 bytes
_WAYS = {
    "PROG": ("id", "name", "tag", "pinned"),
    "MAP": ("id", "name", "pinned"),
    "LINK": ("id", "pinned"),
    "BTF": ("id", "name"),
}
_NOUNS = {"PROG": "program", "MAP": "map", "LINK": "link", "BTF": "BTF object"}


def take_selector(words: Sequence[str], kind: ObjectKind) -> tuple[Selector, list[str]]:
    """Read which object is meant from the front of a list of words, and return what follows.

    A word with a slash is a path, one of digits alone an id, anything else a name; what looks
    like something else is written in full (`name 7`).
    Raises: UsageError (nothing there, a value missing or malformed, a way this kind lacks).
    """
    if not words:
        raise UsageError(f"which {_NOUNS[kind.name]}? {_expected(kind)}")
    first, *rest = words
    if first not in _READERS:
        return _selector(kind, _short_form(first), first), rest
    if first not in _WAYS[kind.name]:
        raise UsageError(f"a {_NOUNS[kind.name]} has no {first}: {_expected(kind)}")
    if not rest:
        raise UsageError(f'"{first}" wants {_VALUES[first]} after it')
    return _selector(kind, first, rest[0]), rest[1:]


def parse_selector(words: Sequence[str], kind: ObjectKind) -> Selector:
    """Read which object is meant from all of the words.

    Raises: UsageError, also where words are left over.
    """
    selector, rest = take_selector(words, kind)
    expect_end(rest)
    return selector


def expect_end(words: Sequence[str]) -> None:
    """Refuse words that nothing asked for.

    Raises: UsageError.
    """
    if words:
        raise UsageError(f'"{words[0]}" is one word too many: nothing is expected there')


def _short_form(word: str) -> str:
    if "/" in word:
        return "pinned"
    return "id" if word.isascii() and word.isdigit() else "name"


def _selector(kind: ObjectKind, by: str, value: str) -> Selector:
    if by not in _WAYS[kind.name]:
        raise UsageError(f'"{value}" names no {_NOUNS[kind.name]}: {_expected(kind)}')
    return Selector(kind, by, _READERS[by](value))


def _expected(kind: ObjectKind) -> str:
    ways = [f"{way} {_PLACEHOLDERS[way]}" for way in _WAYS[kind.name]]
    return f"expected {', '.join(ways[:-1])} or {ways[-1]}"


def _read_id(text: str) -> str:
    digits = text[2:] if text[:2] in {"0x", "0X"} else text
    base = 10 if digits is text else 16
    try:  # int() takes blanks, signs and underscores too
        number = int(digits, base) if digits.isalnum() and digits.isascii() else 0
    except ValueError:
        number = 0
    if not 0 < number <= _MAX_ID:
        raise UsageError(f'"{text}" is no id: expected a number from 1 to {_MAX_ID}')
    return str(number)


def _read_tag(text: str) -> str:
    if len(text) > _TAG_DIGITS or not text or set(text) - set("0123456789abcdefABCDEF"):
        raise UsageError(f'"{text}" is no tag: expected up to {_TAG_DIGITS} hexadecimal digits')
    return text.lower()


def _read_text(text: str) -> str:
    if not text:
        raise UsageError("an empty word names no object")
    return text


_READERS: dict[str, Callable[[str], str]] = {
    "id": _read_id,
    "name": _read_text,
    "tag": _read_tag,
    "pinned": _read_text,
}
_PLACEHOLDERS = {"id": "ID", "name": "NAME", "tag": "TAG", "pinned": "PATH"}
_VALUES = {"id": "a number", "name": "a name", "tag": "a tag", "pinned": "a path"}
