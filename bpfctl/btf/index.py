"""What a walk over a large blob finds out, as bytes that can be kept: the kernel's never changes.

The bytes are a header, the three arrays of an `Index` in the machine's own byte order, and
nothing else. They belong to one blob, which `key` names, and to this version of the format.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from zlib import adler32

from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from typing import Final

    Numbers = list[int] | array[int] | memoryview[int]

_MAGIC: Final = 0x6274_6603  # in the machine's byte order; the last digits are the version
_HEADER: Final = struct.Struct("=IIIII")  # magic, checksum of the rest, bytes of key, two counts
_CHECKED_FROM: Final = 8
_START_BYTES, _OFFSET_BYTES, _ENTRY_BYTES = 4, 4, 8


@plain
class Index:
    """Where records start and what their names are, in the order of ids.

    `starts` and `offsets` (of names, in the strings) have one item for each type; `table` has
    hash << 32 | position for each named type, ascending (see `bpfctl.btf.names`).
    """

    starts: Numbers
    offsets: Numbers
    table: Numbers


def pack(index: Index, key: bytes) -> bytes:
    """Write an index of the blob that `key` names."""
    counts = struct.pack("=III", len(key), len(index.starts), len(index.table))
    from array import array  # which imports the whole of collections

    arrays = map(array, "IIQ", (index.starts, index.offsets, index.table))
    rest = b"".join((counts, key, *(one.tobytes() for one in arrays)))
    return struct.pack("=II", _MAGIC, adler32(rest)) + rest


def unpack(data: bytes | memoryview, key: bytes) -> Index | None:
    """Read an index; None for one of another blob, of another version, or a damaged one.

    Its arrays are views of `data`, as long as the counts say. That their numbers lead into the blob
    is checked when they are used (`Names`, `Btf`): most never are.
    """
    if len(data) < _HEADER.size:
        return None
    magic, checksum, key_len, types, entries = _HEADER.unpack_from(data)
    first = _HEADER.size + key_len
    ends = [first, first + _START_BYTES * types]
    ends += [ends[1] + _OFFSET_BYTES * types]
    ends += [ends[2] + _ENTRY_BYTES * entries]
    if magic != _MAGIC or data[_HEADER.size : first] != key or ends[3] != len(data):
        return None
    view = memoryview(data)
    if adler32(view[_CHECKED_FROM:]) != checksum:
        return None
    starts, offsets, table = (view[start:end] for start, end in pairwise(ends))
    return Index(starts.cast("I"), offsets.cast("I"), table.cast("Q"))
