"""EPERM and EACCES: is it for lack of a capability, and of which. Only imported when it happens."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from bpfctl.linux.caps import Capability, has_capability, in_initial_user_namespace
from bpfctl.linux.security import perf_event_paranoid
from bpfctl.objects.needs import ADMIN_ONLY, BPF_ONLY, of_call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpfctl.errors import SyscallError

CODE: Final = "capabilities-missing"
_DENIED: Final = frozenset({errno.EPERM, errno.EACCES})
_MAINLINE_PARANOID: Final = 2  # the highest level that mainline kernels have
_NO_DESCRIPTOR: Final = 2**31 - 1


def name_missing(
    err: SyscallError, needed: Iterable[Capability], further: Iterable[Capability] = ()
) -> bool:
    """Say in the error which of the needed capabilities this process lacks, and whether any.

    `further` are those that the command would need next. In a user namespace of its own a process
    has them all and the kernel counts none (`capable`, kernel/capability.c), so all are missing.
    """
    needed = list(dict.fromkeys(needed))
    if err.errno not in _DENIED or not needed:
        return False
    inside = in_initial_user_namespace() is False
    lacking = [one for one in needed if inside or has_capability(one) is False]
    if not lacking:
        return False
    later = [one for one in dict.fromkeys(further) if one not in needed]
    absent = lacking + [one for one in later if inside or has_capability(one) is False]
    err.code = CODE
    err.message = f"{err.doing}: not permitted without {_words(lacking)}"
    err.evidence.append(f"this process lacks {_list(absent)}")
    if inside:
        err.evidence.append("it is in a user namespace: what it has there does not count here")
    err.remedy = f"run it as root, or with {_words([*needed, *later])}"
    return True


def name_missing_for_event(err: SyscallError, needed: Iterable[Capability]) -> bool:
    """Do as `name_missing` for perf_event_open(2), where a setting may ask for CAP_SYS_ADMIN."""
    level = perf_event_paranoid()
    if level is None or level <= _MAINLINE_PARANOID:
        return name_missing(err, needed)
    if not name_missing(err, ADMIN_ONLY):
        return False
    err.evidence.append(f"kernel.perf_event_paranoid is {level}, where CAP_PERFMON may not do")
    return True


def is_admin() -> bool:
    """Whether this process has CAP_SYS_ADMIN, which stands in for all that a program takes."""
    return in_initial_user_namespace() is not False and has_capability(Capability.SYS_ADMIN) is True


def everything_refused() -> bool:
    """Ask whether the kernel refuses each bpf(2) of those without CAP_BPF, whatever it is for.

    It does before Linux 5.19 where kernel.unprivileged_bpf_disabled is not 0 (__sys_bpf,
    kernel/bpf/syscall.c); a question about a descriptor that cannot be then ends in EPERM.
    """
    from bpfctl.kernel.attr_object import obj_info
    from bpfctl.kernel.bpf import try_bpf
    from bpfctl.kernel.libc import ffi

    return try_bpf(obj_info(_NO_DESCRIPTOR, ffi.new("struct bpf_map_info *"))) == -errno.EPERM


def explain_call(err: SyscallError) -> SyscallError:
    """Name what is missing for a call that takes the same whatever it is about; return the error.

    Kernels that refuse each call of those without CAP_BPF are asked whether they do.
    """
    if name_missing(err, of_call(err.call)) or err.errno != errno.EPERM:
        return err
    doubtful = err.call.startswith("BPF_") and has_capability(Capability.BPF) is False
    if doubtful and everything_refused():
        name_missing(err, BPF_ONLY)
    return err


def _words(names: list[Capability]) -> str:
    texts = [f"CAP_{one.name}" for one in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _list(names: list[Capability]) -> str:
    return ", ".join(f"CAP_{one.name}" for one in names)
