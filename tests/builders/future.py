"""Type information with a type of a kind that nobody knows yet."""

from __future__ import annotations

import struct

from bpfctl.btf.decode import Btf

FUTURE = 100  # a kind; 2 elements of 8 bytes, and 4 bytes before them
RECORD = struct.pack("<III", 0, FUTURE << 24 | 2, 8) + bytes(4 + 2 * 8)
LAYOUT = bytes(4) * FUTURE + bytes((4, 8, 0, 0))


def with_future(data: bytes, *, told: bool) -> bytes:
    """Return types with such a record behind them; `told`: and how large it is."""
    header = Btf.parse(data).header
    types = data[header.type_off : header.type_off + header.type_len] + RECORD
    strings = data[header.str_off : header.str_off + header.str_len]
    sizes, head = (LAYOUT, 32) if told else (b"", 24)
    sections = [0, len(types), len(types), len(strings)]
    at = len(types) + len(strings)
    padding = bytes(-at % 4)
    fields = [*sections, at + len(padding), len(sizes)] if told else sections
    start = struct.pack("<HBBI", 0xEB9F, 1, 0, head)
    return start + struct.pack(f"<{len(fields)}I", *fields) + types + strings + padding + sizes
