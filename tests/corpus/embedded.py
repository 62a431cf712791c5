"""BPF objects inside other files: a skeleton keeps its object in the read-only data."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\x7fELF\x02\x01\x01"  # 64 bits, least byte first, version 1
HEADER = struct.Struct("<16s HHI QQQ I HHHHHH")  # Elf64_Ehdr, elf(5)
EM_BPF = 247


def cut(data: bytes) -> Iterator[bytes]:
    """Yield each BPF object that lies in `data`; the file's own header is not one.

    An object ends with its section headers, which compilers and linkers put last.
    """
    place = data.find(MAGIC)
    while place >= 0:
        size = _size(data[place : place + HEADER.size])
        if size and place + size <= len(data):
            yield data[place : place + size]
        place = data.find(MAGIC, place + len(MAGIC))


def _size(header: bytes) -> int:
    """Return the size in bytes of the object with this header, 0 when it is none of BPF."""
    if len(header) < HEADER.size:
        return 0
    _, _, machine, _, _, _, headers, _, _, _, _, each, count, _ = HEADER.unpack(header)
    return headers + each * count if machine == EM_BPF else 0
