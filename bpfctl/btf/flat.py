"""Split types and their base as one blob, with the ids and string offsets that both have."""

from __future__ import annotations

import struct

from bpfctl.btf.layout import HEADER_BYTES, MAGIC, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf


def flat(btf: Btf) -> bytes:
    """Types and strings of the base, and behind them those of `btf`.

    Ids and offsets of split types go on where those of the base end: nothing is renumbered.
    """
    blobs: list[Btf] = []
    at: Btf | None = btf
    while at is not None:
        blobs.insert(0, at)
        at = at.base
    types = b"".join(_part(one, one.header.type_off, one.header.type_len) for one in blobs)
    strings = b"".join(_part(one, one.header.str_off, one.header.str_len) for one in blobs)
    spans = (HEADER_BYTES, 0, len(types), len(types), len(strings))
    return struct.pack(btf.order + "HBBIIIII", MAGIC, VERSION, 0, *spans) + types + strings


def _part(btf: Btf, offset: int, length: int) -> bytes:
    return btf.data[offset : offset + length]
