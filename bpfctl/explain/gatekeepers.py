"""EPERM and EACCES of what stands before bpf(2): seccomp filters and security modules.

Both are told apart by requests that do nothing. The kernel looks at a request's size first, then
asks the security modules, and then looks at the command (__sys_bpf, kernel/bpf/syscall.c, Linux
5.10 to 7.3).
"""

from __future__ import annotations

import errno

from bpfctl.explain.explanation import Explanation
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.request import Attr
from bpfctl.linux.caps import Capability, has_capability, in_initial_user_namespace
from bpfctl.linux.security import active_lsms, lockdown_mode, seccomp_filtered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from bpfctl.explain.failure import Failure

_DENIED: Final = frozenset({errno.EPERM, errno.EACCES})
_NO_COMMAND: Any = 0x7FFF
_TOO_LARGE: Final = 1 << 20  # more than a page, on any machine
# Modules that have a say about bpf(2) (security_bpf* in security/, Linux 6.18).
_JUDGES: Final = ("selinux", "bpf")


class _Oversized(Attr):
    """A request that the kernel refuses with E2BIG before anything else."""

    @property
    def size(self) -> int:
        """More than a kernel reads."""
        return _TOO_LARGE


def seccomp(failure: Failure) -> Explanation | None:
    """See whether a filter answers what only the kernel could answer otherwise."""
    if not failure.call.startswith("BPF_") or failure.errno not in {*_DENIED, errno.ENOSYS}:
        return None
    if not _is_heard() or not seccomp_filtered():
        return None
    answer = -try_bpf(_Oversized(_NO_COMMAND, "see who answers"))
    if answer in {errno.E2BIG, 0}:
        return None
    name = errno.errorcode.get(answer, str(answer))
    return Explanation(
        "seccomp-refuses-bpf",
        "a seccomp filter of this process refuses bpf(2)",
        (
            f"a request that the kernel refuses with E2BIG, whoever asks, is refused with {name}",
            "/proc/self/status says that a filter decides (Seccomp: 2)",
        ),
        "allow bpf(2) in the filter of the container or service (SystemCallFilter= of systemd,"
        " --security-opt seccomp= of Docker), or run it outside",
    )


def _is_heard() -> bool:
    """Whether the kernel itself lets this process ask: before 5.19 it refuses those without rights.

    Capabilities of another user namespace are none.
    """
    has_rights = has_capability(Capability.BPF) is True
    return has_rights and in_initial_user_namespace() is not False


def security_module(failure: Failure) -> Explanation | None:
    """See whether even a command that does not exist is refused: then a module refuses all."""
    if not failure.call.startswith("BPF_") or failure.errno not in _DENIED:
        return None
    if not _is_heard():
        return None
    answer = -try_bpf(Attr(_NO_COMMAND, "see who answers"))
    if answer not in _DENIED:
        return None
    modules = active_lsms()
    named = (f"active security modules: {', '.join(modules)}",) if modules else ()
    return Explanation(
        "security-module-refuses-bpf",
        "a security module refuses bpf(2) to this process",
        (f"even a command that does not exist is refused with {errno.errorcode[answer]}", *named),
        "see the audit log (ausearch -m avc for SELinux), and which BPF programs are on the LSM"
        " hook bpf (bpfctl link show)",
    )


def surroundings(failure: Failure) -> None:
    """Say what else may refuse, where all rights seem to be there."""
    if failure.errno not in _DENIED or has_capability(Capability.SYS_ADMIN) is not True:
        return
    if in_initial_user_namespace() is False:
        return
    mode, modules = lockdown_mode(), active_lsms() or []
    failure.evidence.append("this process has CAP_SYS_ADMIN in the initial user namespace")
    if mode and mode != "none":
        failure.candidates.append(f"lockdown, which is {mode} (check: dmesg | grep Lockdown)")
    failure.candidates += [
        f"the security module {name} (check: its log)" for name in modules if name in _JUDGES
    ]
