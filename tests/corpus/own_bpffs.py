"""A mount namespace with a bpffs of our own: what is pinned in it goes with it."""

from __future__ import annotations

import ctypes
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = "/sys/fs/bpf"
# include/uapi/linux/sched.h, mount.h
CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


def leave_the_mounts() -> None:
    """Give this process mounts that nobody else sees, and a bpffs among them. Raises: OSError."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare")
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "make mounts private")
    _check(_libc.mount(b"bpf", PLACE.encode(), b"bpf", 0, None), "mount a bpffs")


@contextmanager
def fresh_bpffs() -> Iterator[str]:
    """Give the bpffs, at the place where maps that are pinned by name go, and empty it again.

    Another mount for each would be slower: kernels put programs of their own into it.
    """
    place = Path(PLACE)
    before = set(place.iterdir())
    try:
        yield PLACE
    finally:
        for path in set(place.iterdir()) - before:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _check(result: int, doing: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{doing}: {os.strerror(code)}")
