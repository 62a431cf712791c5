"""Where a process has files in its memory."""

from __future__ import annotations

import os
from pathlib import Path


def mapped_at(pid: int, path: str, offset: int) -> int | None:
    """Return the address at which a process has a byte of a file; None where it has not.

    Source: /proc/PID/maps, show_map_vma() in fs/proc/task_mmu.c: addresses, rights, offset,
    device, inode and path.
    """
    try:
        wanted = Path(path).stat()
        lines = Path(f"/proc/{pid}/maps").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    device = f"{os.major(wanted.st_dev):02x}:{os.minor(wanted.st_dev):02x}"
    for line in lines:
        span, _, first, where, inode, *_ = line.split(maxsplit=5)
        if (where, int(inode)) != (device, wanted.st_ino):
            continue
        start, end = (int(one, 16) for one in span.split("-"))
        if 0 <= offset - int(first, 16) < end - start:
            return start + offset - int(first, 16)
    return None
