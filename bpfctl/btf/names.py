"""Finding types by their names, without decoding them.

A name is searched as bytes in the string section, and each offset found then in the list of all
types' name offsets. That beats a table of all names (30 ms for a kernel's BTF) for the look-ups of
one run.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Names end other strings ("file", "profile"), so that one name has many offsets, most of them no
# type's. A set sorts those out; what is left is searched one by one, up to so many.
FEW_OFFSETS = 8


def occurrences(haystack: bytes, wanted: bytes) -> Iterator[int]:
    """Every place of these bytes, overlapping ones too."""
    at = haystack.find(wanted)
    while at >= 0:
        yield at
        at = haystack.find(wanted, at + 1)


class NameIndex:
    """Which types of one blob have their name at a given string offset.

    `offsets` are those of all types' names, in the order of ids. Answers are positions: 0 is the
    first type of the blob.
    """

    def __init__(self, offsets: array[int]) -> None:
        self._offsets = offsets
        self._packed = offsets.tobytes()
        self._in_use: frozenset[int] = frozenset()

    def positions(self, offsets: list[int]) -> list[int]:
        """Positions of all types with a name at one of these offsets, ascending."""
        if len(offsets) > 1:
            self._in_use = self._in_use or frozenset(self._offsets)
            offsets = [offset for offset in offsets if offset in self._in_use]
        if len(offsets) > FEW_OFFSETS:
            wanted = frozenset(offsets)
            return [at for at, offset in enumerate(self._offsets) if offset in wanted]
        hits = (at for offset in offsets for at in occurrences(self._packed, _packed(offset)))
        return sorted(at // 4 for at in hits if at % 4 == 0)


def _packed(offset: int) -> bytes:
    return array("I", (offset,)).tobytes()
