"""What the kernel calls the functions of its system calls."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# arch/x86/include/asm/syscall_wrapper.h (Linux 4.17), arch/arm64/include/asm/syscall_wrapper.h
# (Linux 4.19).
_PREFIXES: Final = {"x86_64": "__x64_sys_", "aarch64": "__arm64_sys_"}


def syscall_function(name: str, machine: str = "") -> str:
    """Return the symbol of a system call ("unlinkat" -> "__x64_sys_unlinkat").

    Machines without a wrapper have "__se_sys_unlinkat".
    """
    return _PREFIXES.get(machine or os.uname().machine, "__se_sys_") + name
