"""Archives of the kind that the kernel unpacks as its first root.

Source: Documentation/driver-api/early-userspace/buffer-format.rst, Linux 6.1 ("newc").
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DIRECTORY, REGULAR = 0o040755, 0o100755
TRAILER = "TRAILER!!!"


@dataclass(frozen=True)
class Entry:
    """A file, or a directory when it has no content."""

    name: str
    content: bytes | None = None


def archive(entries: Iterable[Entry]) -> bytes:
    """Return an archive of the entries; directories must come before what is in them."""
    numbers = count(1)
    parts = [_record(entry, next(numbers)) for entry in entries]
    return b"".join([*parts, _record(Entry(TRAILER, b""), 0)])


def _record(entry: Entry, inode: int) -> bytes:
    """Return a header of thirteen hexadecimal fields, the name and the content, each padded."""
    name, content = entry.name.encode() + b"\0", entry.content or b""
    mode = DIRECTORY if entry.content is None else REGULAR
    fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
