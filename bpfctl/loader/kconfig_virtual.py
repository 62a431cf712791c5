"""Values of .kconfig that are in no file: bpfctl computes them, as libbpf does."""

from __future__ import annotations

import os

from bpfctl.asm.insn import BPF_CALL_IMM, BPF_EXIT_INSN, Insn, encode
from bpfctl.errors import SyscallError
from bpfctl.kernel.attr import prog_load
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import ProgType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

_GET_ATTACH_COOKIE: Final = 174  # helper, Linux 5.15
# arch/*/include/asm/syscall_wrapper.h: x86-64 since Linux 4.17, arm64 since 4.19.
_WRAPPERS: Final = {"x86_64": "__x64_sys_bpf", "aarch64": "__arm64_sys_bpf"}


def _version() -> int:
    from bpfctl.linux.version import kernel_version_code

    return kernel_version_code()


def has_bpf_cookie() -> int:
    """Whether programs of perf events may ask for a cookie (Linux 5.15), by loading one."""
    code = encode([Insn(BPF_CALL_IMM, imm=_GET_ATTACH_COOKIE), Insn(BPF_EXIT_INSN)])
    request = prog_load(
        prog_type=ProgType.TRACEPOINT, insns=code, license="GPL", doing="probe cookies"
    )
    try:
        bpf_fd(request).close()
    except SyscallError:
        return 0
    return 1


def has_syscall_wrapper() -> int:
    """Whether system calls take their arguments in a struct pt_regs."""
    from bpfctl.linux.kallsyms import addresses_of

    name = _WRAPPERS.get(os.uname().machine)
    return int(bool(name and addresses_of([name])))


VIRTUAL: Final[Mapping[str, Callable[[], int]]] = {
    "LINUX_KERNEL_VERSION": _version,
    "LINUX_HAS_BPF_COOKIE": has_bpf_cookie,
    "LINUX_HAS_SYSCALL_WRAPPER": has_syscall_wrapper,
}
