"""Mounting a file system that has no place in any directory tree."""

from __future__ import annotations

from bpfctl.errors import SyscallError
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.libc import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

# The same numbers on all machines (include/uapi/asm-generic/unistd.h, Linux 5.2).
_FSOPEN: Final = 430
_FSCONFIG: Final = 431
_FSMOUNT: Final = 432
# include/uapi/linux/mount.h
_FSOPEN_CLOEXEC: Final = 1
_FSCONFIG_CMD_CREATE: Final = 6
_FSMOUNT_CLOEXEC: Final = 1


def mount_private(kind: str) -> Fd:
    """Make an instance of a file system, and return a descriptor of its root directory.

    Nobody else sees it, and it goes with the descriptor; files are opened relative to that.
    Raises: SyscallError (EPERM without CAP_SYS_ADMIN, ENODEV: the kernel does not have it).
    """
    doing = f"mount a private {kind}"
    name = ffi.new("char[]", kind.encode())
    with Fd(_call(_FSOPEN, "fsopen", doing, name, _int(_FSOPEN_CLOEXEC))) as context:
        number = _int(context.fileno())
        create = _int(_FSCONFIG_CMD_CREATE)
        _call(_FSCONFIG, "fsconfig", doing, number, create, ffi.NULL, ffi.NULL, _int(0))
        return Fd(_call(_FSMOUNT, "fsmount", doing, number, _int(_FSMOUNT_CLOEXEC), _int(0)))


def _call(number: int, name: str, doing: str, *arguments: Any) -> int:
    result: int = lib.syscall(ffi.cast("long", number), *arguments)
    if result < 0:
        raise SyscallError(ffi.errno, name, doing)
    return result


def _int(value: int) -> Any:
    return ffi.cast("int", value)
