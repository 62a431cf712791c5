"""The security modules that are active, asked of the kernel itself."""

from __future__ import annotations

from bpfctl.errors import SyscallError
from bpfctl.kernel.libc import ffi, lib, syscall_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_MOST: Final = 64  # MAX_LSM_COUNT is 15 in Linux 6.18
# LSM_ID_* (include/uapi/linux/lsm.h, Linux 6.8 to 7.3), by the names the modules give themselves.
_NAMES: Final = {
    100: "capability",
    101: "selinux",
    102: "smack",
    103: "tomoyo",
    104: "apparmor",
    105: "yama",
    106: "loadpin",
    107: "safesetid",
    108: "lockdown",
    109: "landlock",
    110: "bpf",
    111: "evm",
    112: "ima",
    113: "ipe",
}


def list_modules() -> list[str] | None:
    """Return the names of the active security modules; None before Linux 6.8.

    Their order is not always that of securityfs.

    It takes no capability, and no mounted securityfs. A module we have no name for is its number.
    Source: lsm_list_modules(2), security/lsm_syscalls.c, Linux 6.8.
    """
    try:
        number = syscall_number("lsm_list_modules")
    except SyscallError:
        return None
    ids, size = ffi.new("uint64_t[]", _MOST), ffi.new("uint32_t *", 8 * _MOST)
    count: int = lib.syscall(number, ids, size, ffi.cast("unsigned int", 0))
    if count < 0:
        return None
    return [_NAMES.get(ids[at], f"lsm-{ids[at]}") for at in range(count)]
