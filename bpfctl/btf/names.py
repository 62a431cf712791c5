"""Finding types by their names, without decoding them.

A name is searched as bytes in the string section, and its offset then in the list of all types'
name offsets. That beats any table of all names for the few look-ups of one run.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Up to so many string offsets are searched one by one. Short names end thousands of other
# strings ("int", "print"): then a set of the offsets in use sorts them out first.
FEW_OFFSETS = 4


def occurrences(strings: bytes, wanted: bytes) -> Iterator[int]:
    """Every offset of these bytes; a string may be the end of another, or occur twice."""
    at = strings.find(wanted)
    while at >= 0:
        yield at
        at = strings.find(wanted, at + 1)


class NameIndex:
    """The name offsets of one blob's types, in the order of type ids."""

    def __init__(self, words: array[int], starts: array[int]) -> None:
        self._offsets = array("I", map(words.__getitem__, starts))
        self._packed = self._offsets.tobytes()
        self._in_use: frozenset[int] | None = None

    def positions(self, offsets: list[int]) -> list[int]:
        """Positions (0 is the first type of the blob) of all types named there, ascending."""
        if len(offsets) > FEW_OFFSETS:
            if self._in_use is None:
                self._in_use = frozenset(self._offsets)
            offsets = [offset for offset in offsets if offset in self._in_use]
        if len(offsets) > FEW_OFFSETS:
            wanted = frozenset(offsets)
            return [at for at, offset in enumerate(self._offsets) if offset in wanted]
        return sorted(at for offset in offsets for at in self._with_offset(offset))

    def _with_offset(self, offset: int) -> Iterator[int]:
        for at in occurrences(self._packed, array("I", (offset,)).tobytes()):
            if at % 4 == 0:
                yield at // 4
