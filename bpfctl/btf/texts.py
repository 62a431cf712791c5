"""The strings of type information as text, each made once."""

from __future__ import annotations

from bpfctl.btf.strings import MAX_STRING_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

    from bpfctl.btf.strings import Strings

MANY: Final = 1000


class Texts(dict[int, str]):
    """The strings that were asked for, by their offsets: most are asked for again.

    Who asks for many gets them from the whole section, made a text once. `error` makes the error
    of an offset that leads nowhere.
    """

    def __init__(self, strings: Strings, error: Callable[[str], Exception]) -> None:
        super().__init__()
        self._strings = strings
        self._error = error
        self._whole = ""

    def __missing__(self, offset: int) -> str:
        """Read one. Raises: what `error` makes."""
        if len(self) == MANY:
            self._whole = self._strings.plain_text()
        text = self[offset] = self._read(offset)
        return text

    def several(self, offsets: Iterable[int]) -> list[str]:
        """Some that are not kept, as names of members: most are those of one struct only."""
        whole, find = self._whole, self._whole.find
        return [
            whole[at:end] if (end := find("\0", at, at + MAX_STRING_BYTES)) >= 0 else self[at]
            for at in offsets
        ]

    def _read(self, offset: int) -> str:
        end = self._whole.find("\0", offset, offset + MAX_STRING_BYTES)
        if end >= 0:
            return self._whole[offset:end]
        try:
            return self._strings.get(offset).decode("utf-8", "surrogateescape")
        except LookupError as err:
            raise self._error(err.args[0]) from None
