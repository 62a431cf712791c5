"""The strings of type information: found by their offsets, searched for by their bytes."""

from __future__ import annotations

from bpfctl.plain_tools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

MAX_STRING_BYTES: Final = (
    1 << 16
)  # of one string; many types of a hostile blob may share a long one
_FIRST_LOOK_BYTES: Final = 64  # holds nearly every name
_PIECE_BYTES: Final = 28_000  # above 30,000 Python searches another way, which takes longer
_KNOWN: Final = 64  # searches whose outcome is kept: each module asks the kernel's strings anew


def occurrences(haystack: bytes | memoryview, wanted: bytes) -> Iterator[int]:
    """Every place of these bytes, overlapping ones too.

    What is searched is copied in pieces: those fit into the processor's cache, where a copy of all
    costs as much again as the search.
    """
    room = max(_PIECE_BYTES, 2 * len(wanted))
    for start in range(0, len(haystack), room - len(wanted) + 1):
        piece = bytes(haystack[start : start + room])
        at = piece.find(wanted)
        while at >= 0:
            yield start + at
            at = piece.find(wanted, at + 1)


class Strings:
    """The string section of one blob; offsets go on where those of `base` end (split BTF).

    `section` may be a view of mapped memory, of which only what is asked for is then touched.
    """

    def __init__(self, section: bytes | memoryview, base: Strings | None = None) -> None:
        self._section = section
        self._base = base
        self.first: int = base.end if base else 0
        self.end: int = self.first + len(section)
        self._known: dict[bytes, list[int]] = {}

    def get(self, offset: int) -> bytes:
        """The string at an offset.

        Raises: LookupError, with words, outside of the section and for one too long.
        """
        if self._base and offset < self.first:
            return self._base.get(offset)
        at = offset - self.first
        if not 0 <= at < len(self._section):
            raise LookupError(f"string offset {offset} lies outside of the string section")
        for room in (_FIRST_LOOK_BYTES, MAX_STRING_BYTES + 1):
            text = bytes(self._section[at : at + room])
            end = text.find(b"\0")
            if end >= 0:
                return text[:end]
        raise LookupError(f"the string at offset {offset} is too long")

    def places(self, wanted: bytes) -> list[int]:
        """The offsets of these bytes, the base's included: its strings are shared."""
        known = self._known.get(wanted)
        if known is None:
            below = self._base.places(wanted) if self._base else []
            known = below + [self.first + at for at in occurrences(self._section, wanted)]
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[wanted] = known
        return known

    @cached_property
    def data(self) -> bytes:
        """The whole section."""
        return bytes(self._section)

    def plain_text(self) -> str:
        """The whole section, in which offsets are places; "" for one that has others than ASCII.

        Neither has a section that goes on from another one such a text.
        """
        return self.data.decode() if not self._base and self.data.isascii() else ""
