"""The one place that opens the C library. Everything else asks here for `ffi` and `lib`."""

from __future__ import annotations

import errno
import os
import sys

from bpfctl.errors import SyscallError
from bpfctl.kernel._cffi import ffi as _ffi
from bpfctl.plain_tools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# cffi's objects have no useful static types: what a cdata is depends on the declaration.
ffi: Any = _ffi
lib: Any = ffi.dlopen(None)

# arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h (arm64), Linux 7.3.
_NUMBERS = {
    "x86_64": {"bpf": 321, "perf_event_open": 298, "lsm_list_modules": 461},
    "aarch64": {"bpf": 280, "perf_event_open": 241, "lsm_list_modules": 461},
}


@cache
def syscall_number(name: str) -> Any:
    """Return the number of a system call here, as C wants it.

    Raises: SyscallError (ENOSYS) on machines we know no numbers of, and in 32-bit processes.
    """
    machine = os.uname().machine
    numbers = _NUMBERS.get(machine) if sys.maxsize > 1 << 32 else None
    if numbers is None:
        words = f"{name} on {machine}" if sys.maxsize > 1 << 32 else f"{name} in a 32-bit process"
        raise SyscallError(errno.ENOSYS, name, words, code="unsupported-machine")
    return ffi.cast("long", numbers[name])
