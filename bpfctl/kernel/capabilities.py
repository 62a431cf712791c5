"""Giving up what a process is allowed to do."""

from __future__ import annotations

from bpfctl.errors import SyscallError
from bpfctl.kernel.libc import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_VERSION_3: Final = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: two words of 32 for each set
_WORDS: Final = 6  # effective, permitted and inheritable, twice


def drop_capabilities() -> None:
    """Give up all capabilities of this thread, for good (capset(2)).

    Raises: SyscallError (a seccomp filter forbids it).
    """
    header = ffi.new("unsigned int[2]", [_VERSION_3, 0])  # 0: this thread
    nothing = ffi.new("unsigned int[]", _WORDS)
    if lib.capset(header, nothing) != 0:
        raise SyscallError(ffi.errno, "capset", "give up all capabilities")
