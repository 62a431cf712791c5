"""What the kernel tells perf of programs that a process loads, pinned or not.

bpftool loads an object and then drops all of it when a program of a "?" section, which it left
out, cannot be pinned. The kernel's records tell what was loaded all the same: for each program
PERF_RECORD_KSYMBOL with its functions' names, then PERF_RECORD_BPF_EVENT with its tag
(perf_event_bpf_event, kernel/events/core.c, Linux 5.1). Probes for features are among them.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PERF_EVENT_OPEN = 298  # arch/x86/entry/syscalls/syscall_64.tbl
# include/uapi/linux/perf_event.h: struct perf_event_attr of 128 bytes, its bits, the records.
ATTR = struct.Struct("<IIQQQQQ 88x")
ATTR_BYTES = 128
TYPE_SOFTWARE, COUNT_SW_DUMMY = 1, 9
WANTED = 1 << 29 | 1 << 30  # ksymbol, bpf_event
FLAG_FD_CLOEXEC = 8
RECORD = struct.Struct("<IHH")
KSYMBOL, KSYMBOL_HEAD = 17, struct.Struct("<QIHH")
BPF_EVENT, BPF_EVENT_HEAD = 18, struct.Struct("<HHI8s")
UNREGISTERED, LOADED = 1, 1
DATA_HEAD_OFFSET = 1024  # of the first page, which describes the others
PAGES = 256

_libc = ctypes.CDLL(None, use_errno=True)


class LoadEvents:
    """The record of one process's loads, from now on."""

    def __init__(self, pid: int) -> None:
        """Begin to record. Raises: OSError."""
        attr = ATTR.pack(TYPE_SOFTWARE, ATTR_BYTES, COUNT_SW_DUMMY, 0, 0, 0, WANTED)
        self._fd = _libc.syscall(PERF_EVENT_OPEN, attr, pid, -1, -1, FLAG_FD_CLOEXEC)
        if self._fd < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"perf_event_open: {os.strerror(code)}")
        self._ring = mmap.mmap(self._fd, (1 + PAGES) * mmap.PAGESIZE)

    def close(self) -> None:
        """End the recording."""
        self._ring.close()
        os.close(self._fd)

    def loads(self) -> list[tuple[str, str]]:
        """Return what was loaded until now, as far as it fits into the buffer."""
        (head,) = struct.unpack_from("<Q", self._ring, DATA_HEAD_OFFSET)
        return programs(self._ring[mmap.PAGESIZE : mmap.PAGESIZE + head])


def programs(data: bytes) -> list[tuple[str, str]]:
    """Return name and tag of each program with a name that was loaded, in order."""
    found, names = [], []
    for kind, body in _records(data):
        if kind == KSYMBOL and not KSYMBOL_HEAD.unpack_from(body)[3] & UNREGISTERED:
            names.append(_function_name(body[KSYMBOL_HEAD.size :]))
        elif kind == BPF_EVENT:
            what, _flags, _id, tag = BPF_EVENT_HEAD.unpack_from(body)
            if what == LOADED and names and names[0]:
                found.append((names[0], tag.hex()))
            names = []
    return found


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + RECORD.size <= len(data):
        kind, _misc, size = RECORD.unpack_from(data, place)
        yield kind, data[place + RECORD.size : place + size]
        place += size


def _function_name(ksym: bytes) -> str:
    """Return NAME of "bpf_prog_TAG_NAME", nothing where a program has none."""
    return "_".join(ksym.partition(b"\0")[0].decode().split("_")[3:])
