"""The strings of type information as text, each made once."""

from __future__ import annotations

from bpfctl.btf.strings import MAX_STRING_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
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
        text = self[offset] = self.read(offset)
        return text

    def read(self, offset: int) -> str:
        """One that is not kept here. Raises: what `error` makes."""
        end = self._whole.find("\0", offset, offset + MAX_STRING_BYTES)
        if end >= 0:
            return self._whole[offset:end]
        try:
            return self._strings.get(offset).decode("utf-8", "surrogateescape")
        except LookupError as err:
            raise self._error(err.args[0]) from None
