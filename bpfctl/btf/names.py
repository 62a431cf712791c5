"""Finding types by their names, without decoding them.

A name is searched as bytes in the string section, and each offset found then in the type records.
That beats a table of all names (30 ms for a kernel's BTF) for the look-ups of one run.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Up to so many string offsets are searched one by one. Short names end thousands of other
# strings ("int", "print"): then a set of the offsets in use sorts them out first.
FEW_OFFSETS = 4
# The list of name offsets takes some 10 ms to make and saves 1.5 ms a look-up: so many do without.
FIRST_LOOKUPS = 5
# A small offset is also a common id, size or count: after so many of those, make the list.
MAX_FALSE_HITS = 200


def occurrences(haystack: bytes, wanted: bytes) -> Iterator[int]:
    """Every place of these bytes, overlapping ones too."""
    at = haystack.find(wanted)
    while at >= 0:
        yield at
        at = haystack.find(wanted, at + 1)


class NameIndex:
    """Which types of one blob have their name at a given string offset.

    Answers are positions: 0 is the first type of the blob.
    """

    def __init__(self, words: array[int], starts: array[int]) -> None:
        self._words = words
        self._starts = starts
        self._lookups = 0
        self._offsets = array("I")  # of the types' names, in the order of ids
        self._in_use: frozenset[int] = frozenset()

    def positions(self, offsets: list[int]) -> list[int]:
        """Positions of all types with a name at one of these offsets, ascending."""
        self._lookups += 1
        if self._lookups <= FIRST_LOOKUPS and len(offsets) <= FEW_OFFSETS:
            found = self._among_records(offsets)
            if found is not None:
                return found
        return self._in_list(offsets)

    def _among_records(self, offsets: list[int]) -> list[int] | None:
        """Search the records themselves; None when other words look too much like the offset."""
        found, false_hits = [], 0
        records = self._words.tobytes() if offsets else b""
        for offset in offsets:
            for at in occurrences(records, _packed(offset)):
                position = bisect_left(self._starts, at // 4)
                if at % 4 == 0 and self._starts[position : position + 1] == array("I", (at // 4,)):
                    found.append(position)
                    continue
                false_hits += 1
                if false_hits > MAX_FALSE_HITS:
                    return None
        return sorted(found)

    def _in_list(self, offsets: list[int]) -> list[int]:
        if len(self._offsets) != len(self._starts):
            self._offsets = array("I", map(self._words.__getitem__, self._starts))
        if len(offsets) > FEW_OFFSETS:
            self._in_use = self._in_use or frozenset(self._offsets)
            offsets = [offset for offset in offsets if offset in self._in_use]
        if len(offsets) > FEW_OFFSETS:
            wanted = frozenset(offsets)
            return [at for at, offset in enumerate(self._offsets) if offset in wanted]
        names = self._offsets.tobytes()
        hits = (at for offset in offsets for at in occurrences(names, _packed(offset)))
        return sorted(at // 4 for at in hits if at % 4 == 0)


def _packed(offset: int) -> bytes:
    return array("I", (offset,)).tobytes()
