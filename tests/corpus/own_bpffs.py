"""A mount namespace with a bpffs of our own: what is pinned in it goes with it."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = "/sys/fs/bpf"
# include/uapi/linux/sched.h, mount.h
CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def leave_the_mounts() -> None:
    """Give this process mounts that nobody else sees. Raises: OSError."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare")
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "make mounts private")


@contextmanager
def fresh_bpffs() -> Iterator[str]:
    """Give an empty bpffs at the place where maps that are pinned by name go, and its path."""
    _check(_libc.mount(b"bpf", PLACE.encode(), b"bpf", 0, None), "mount a bpffs")
    try:
        yield PLACE
    finally:
        _check(_libc.umount2(PLACE.encode(), MNT_DETACH), "unmount a bpffs")


def _check(result: int, doing: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{doing}: {os.strerror(code)}")
