"""Read what programs send through a ring buffer."""

from __future__ import annotations

import mmap
import select
import struct

from bpfctl.errors import BpfctlError, UsageError
from bpfctl.kernel.mapping import map_shared
from bpfctl.kernel.uapi import MapType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.objects.map import Map

# A record has 8 bytes before it, the first 4 its length and these bits; it begins at a multiple
# of 8 (include/uapi/linux/bpf.h and kernel/bpf/ringbuf.c, Linux 5.8).
_BUSY: Final = 1 << 31
_DISCARDED: Final = 1 << 30
_HEAD: Final = 8
_POSITION: Final = struct.Struct("@L")
_LENGTH: Final = struct.Struct("=I")


class RingBuffer:
    """The records of a map of type ringbuf, each seen by one reader only.

    The memory is shared with the kernel: a page with the position up to which we have read, one
    with that up to which it has written, and the data, twice in a row so that no record is in two
    parts. The order in which we see the kernel's writes is that of x86.
    """

    def __init__(self, ring: Map) -> None:
        """Map the memory of a ring; the map stays the caller's.

        Raises: UsageError for another type of map, SyscallError.
        """
        if ring.info.type != MapType.RINGBUF:
            raise UsageError(
                f"a map of type {ring.info.type_name} is no ring buffer",
                code="not-ringbuf",
                subject=f"map {ring.info.id}",
            )
        self._size = ring.info.max_entries
        self._fd = ring.fd
        number, page = ring.fd.fileno(), mmap.PAGESIZE
        self._read_up_to = map_shared(number, 0, page, writable=True)
        self._memory = map_shared(number, page, page + 2 * self._size)
        self._data = self._memory[page:]

    def take(self) -> Iterator[bytes]:
        """Yield the records that are there, oldest first; what was yielded is gone from the ring.

        Raises: BpfctlError for a record that cannot be one.
        """
        at = _POSITION.unpack_from(self._read_up_to)[0]
        while at < _POSITION.unpack_from(self._memory)[0]:
            start = (at & (self._size - 1)) + _HEAD
            word = _LENGTH.unpack_from(self._data, start - _HEAD)[0]
            if word & _BUSY:  # reserved by a program that still writes it
                return
            length = word & ~_DISCARDED
            if length > self._size - _HEAD:
                raise BpfctlError(f"a record of {length} bytes in a ring of {self._size}")
            record = bytes(self._data[start : start + length])
            at += _HEAD + (length + 7 & ~7)
            _POSITION.pack_into(self._read_up_to, 0, at)
            if not word & _DISCARDED:
                yield record

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until there are records, or the time is over; whether there are. None: for ever.

        Raises: ValueError once the map is closed.
        """
        poll = select.poll()
        poll.register(self._fd.fileno(), select.POLLIN)
        return bool(poll.poll(None if timeout_s is None else max(0.0, 1000 * timeout_s)))

    def records(self, timeout_s: float | None = None) -> Iterator[bytes]:
        """Yield records as they come, until none came for that long; None: for ever, 0: no wait."""
        while True:
            yield from self.take()
            if not self.wait(timeout_s):
                return
