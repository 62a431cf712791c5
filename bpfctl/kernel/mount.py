"""Mounting a bpffs, and a mount namespace of our own."""

from __future__ import annotations

import os

from bpfctl.errors import SyscallError
from bpfctl.kernel.libc import ffi, lib

# include/uapi/linux/mount.h and sched.h
_MS_REC, _MS_PRIVATE, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 0x4000, 0x40000, 2, 4, 8
_CLONE_NEWNS = 0x20000


def mount_bpffs(path: str) -> None:
    """Mount a bpffs that only root may enter. Raises: SyscallError."""
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    options = ffi.new("char[]", b"mode=700")
    done = lib.mount(b"bpf", os.fsencode(path), b"bpf", flags, options)
    _check(done, "mount", f"mount a bpffs at {path}")


def unmount(path: str) -> None:
    """Unmount what is at a path. Raises: SyscallError."""
    _check(lib.umount2(os.fsencode(path), 0), "umount2", f"unmount {path}")


def private_mount_namespace() -> None:
    """Give this process mounts of its own: what it mounts, others do not see.

    Raises: SyscallError (EPERM without CAP_SYS_ADMIN).
    """
    _check(lib.unshare(_CLONE_NEWNS), "unshare", "make a mount namespace")
    done = lib.mount(b"none", b"/", ffi.NULL, _MS_REC | _MS_PRIVATE, ffi.NULL)
    _check(done, "mount", "make the mounts private")


def _check(result: int, call: str, doing: str) -> None:
    if result < 0:
        raise SyscallError(ffi.errno, call, doing)
