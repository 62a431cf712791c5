"""Finding types by their names, without decoding them.

Two ways give the same answers. A name can be searched as bytes in the string section, and each
offset found then in the list of all types' name offsets: right for the few look-ups in an object's
types. The kernel's are many, and looked at for every object: a table of its names' hashes pays
from the third look-up on, and can be kept in a file (bpfctl.btf.index).
"""

from __future__ import annotations

import struct
import sys
from bisect import bisect_left
from itertools import accumulate
from zlib import crc32

from bpfctl.btf.layout import kind_of
from bpfctl.btf.strings import occurrences
from bpfctl.plain_tools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from typing import Final

    from bpfctl.btf.index import Index, Numbers
    from bpfctl.btf.strings import Strings

# Names end other strings ("file", "profile"), so that one name has many offsets, most of them no
# type's. A set sorts those out; what is left is searched one by one, up to so many.
FEW_OFFSETS = 8
FLAVOR: Final = b"___"
_POSITION_MASK: Final = 0xFFFF_FFFF


class Names:
    """Which types of one blob have which name.

    `words` is the type section, `starts` where in it each record begins. Answers are positions in
    `starts`, ascending: 0 is the first type of the blob. What `index` does not give is made when it
    is first needed, `table` only for who asks for it.
    """

    def __init__(
        self,
        words: Sequence[int],
        starts: Sequence[int],
        strings: Strings,
        index: Index | None = None,
    ) -> None:
        self._words = words
        self._starts = starts
        self._strings = strings
        self._offsets = index.offsets if index else None
        self._table = index.table if index else None
        self._in_use: frozenset[int] = frozenset()

    def called(self, name: bytes, kinds: Collection[int] | None) -> list[int]:
        """Types of exactly that name, of one of the kinds."""
        if self._table is not None:
            found = [at for at, text in self._hashed(name) if text == name]
        else:
            found = self._at(self._strings.places(name + b"\0")) if name else []
        return self._of_kinds(found, kinds)

    def flavors(self, name: bytes, kinds: Collection[int] | None) -> list[int]:
        """Types of that name, or of that name and a flavor ("name___old")."""
        flavor = name + FLAVOR
        if self._table is not None:
            near = self._hashed(name)
            found = [at for at, text in near if text == name or text.startswith(flavor)]
        else:
            places = self._strings.places
            found = self._at(places(name + b"\0") + places(flavor)) if name else []
        return self._of_kinds(found, kinds)

    @property
    def offsets(self) -> Numbers:
        """The name offset of each type, in the order of ids."""
        if self._offsets is None:
            self._offsets = list(map(self._words.__getitem__, self._starts))
        return self._offsets

    @cached_property
    def _packed(self) -> bytes | memoryview:
        """The offsets as native words."""
        if isinstance(self.offsets, list):
            return struct.pack(f"={len(self.offsets)}I", *self.offsets)
        return memoryview(self.offsets).cast("B")

    @property
    def table(self) -> Numbers:
        """For each named type: its name's hash << 32 | its position, ascending."""
        if self._table is None:
            self._table = sorted(self._entries())
        return self._table

    def _entries(self) -> Iterator[int]:
        hashes = self._hashes()
        for position, offset in enumerate(self.offsets):
            if offset:  # an anonymous type's is 0
                found = hashes.get(offset)
                if found is not None:
                    yield found << 32 | position
                elif name := self._text(offset):  # the end of a longer string; a broken one is ""
                    yield _hash(name) << 32 | position

    def _hashes(self) -> dict[int, int]:
        """The hash of each whole string by its offset; nearly all are names without a flavor."""
        text, first = self._strings.data, self._strings.first
        names = text.split(b"\0")
        offsets = accumulate((len(name) + 1 for name in names), initial=first)
        hashes = dict(zip(offsets, map(crc32, names), strict=False))
        for sign in (FLAVOR, b"_\0"):
            for at in occurrences(text, sign):
                start = text.rfind(b"\0", 0, at) + 1
                hashes[first + start] = _hash(text[start : text.find(b"\0", at)])
        return hashes

    def _hashed(self, name: bytes) -> list[tuple[int, bytes]]:
        """Positions and names of types whose name may be this one, or a flavor of it."""
        table = self.table
        wanted = _hash(name)
        found, at = [], bisect_left(table, wanted << 32)
        while name and at < len(table) and table[at] >> 32 == wanted:
            position = table[at] & _POSITION_MASK
            if position < len(self._starts) and self._starts[position] < len(self._words):
                found.append((position, self._text(self._words[self._starts[position]])))
            at += 1
        return found

    def _text(self, offset: int) -> bytes:
        """The string at an offset; a broken one is nobody's name."""
        try:
            return self._strings.get(offset)
        except LookupError:
            return b""

    def _at(self, offsets: list[int]) -> list[int]:
        """All types with a name at one of these string offsets."""
        if len(offsets) > FEW_OFFSETS:
            self._in_use = self._in_use or frozenset(self.offsets)
            offsets = [offset for offset in offsets if offset in self._in_use]
        if len(offsets) > FEW_OFFSETS:
            wanted = frozenset(offsets)
            return [at for at, offset in enumerate(self.offsets) if offset in wanted]
        packed = self._packed
        hits = (at for offset in offsets for at in occurrences(packed, _word(offset)))
        return sorted(at // 4 for at in hits if at % 4 == 0)

    def _of_kinds(self, positions: list[int], kinds: Collection[int] | None) -> list[int]:
        if kinds is None:
            return positions
        words, starts = self._words, self._starts
        return [at for at in positions if kind_of(words[starts[at] + 1]) in kinds]


def _hash(name: bytes) -> int:
    """The same for a name and all its flavors: of what is before three underscores, without more.

    "a_" has the flavor "a____x", in which the first three underscores begin earlier than its own.
    """
    return crc32(name.partition(FLAVOR)[0].rstrip(b"_"))


def _word(offset: int) -> bytes:
    return offset.to_bytes(4, sys.byteorder)
