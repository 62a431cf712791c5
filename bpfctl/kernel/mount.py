"""Mounting a bpffs, and a mount namespace of our own."""

from __future__ import annotations

import errno
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


def private_mount_namespace(path: str) -> None:
    """Give this process mounts of its own: what it mounts at `path`, others do not see.

    For that the mount `path` lies on has to be private. It is found by climbing: "/" itself is no
    mount point in a chroot. Raises: SyscallError (EPERM without CAP_SYS_ADMIN).
    """
    _check(lib.unshare(_CLONE_NEWNS), "unshare", "make a mount namespace")
    place = os.path.realpath(path)
    while (done := _make_private(place)) < 0 and ffi.errno == errno.EINVAL and place != "/":
        place = os.path.dirname(place)
    _check(done, "mount", f"make the mount at {path} private")


def _make_private(place: str) -> int:
    flags = _MS_REC | _MS_PRIVATE
    done: int = lib.mount(b"none", os.fsencode(place), ffi.NULL, flags, ffi.NULL)
    return done


def _check(result: int, call: str, doing: str) -> None:
    if result < 0:
        raise SyscallError(ffi.errno, call, doing)
