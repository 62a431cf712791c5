"""EPERM and EACCES: is it for lack of a capability, and of which. Only imported when it happens."""

from __future__ import annotations

import errno

from bpfctl.linux.caps import Capability, has_capability, in_initial_user_namespace
from bpfctl.linux.mounts import mounts
from bpfctl.linux.security import perf_event_paranoid
from bpfctl.objects.needs import ADMIN_ONLY, BPF_ONLY, of_call
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.errors import SyscallError

CODE: Final = "capabilities-missing"
INSIDE: Final = "capabilities-in-user-namespace"
_WHERE: Final = {
    False: "run it as root",
    True: "run it in the initial user namespace, as root",
}
_DENIED: Final = frozenset({errno.EPERM, errno.EACCES})
_MAINLINE_PARANOID: Final = 2  # the highest level that mainline kernels have
_NO_DESCRIPTOR: Final = 2**31 - 1


class Missing(NamedTuple):
    """What a process lacks, in words."""

    code: str
    message: str
    evidence: tuple[str, ...]
    remedy: str


def missing(
    err: SyscallError, needed: Iterable[Capability], further: Iterable[Capability] = ()
) -> Missing | None:
    """Say which of the needed capabilities this process lacks; None where it has all.

    `further` are those that the command would need next. In a user namespace of its own a process
    has them all and the kernel counts none (`capable`, kernel/capability.c), so all are missing.
    """
    needed = list(dict.fromkeys(needed))
    if err.errno not in _DENIED or not needed:
        return None
    inside = in_initial_user_namespace() is False
    lacking = [one for one in needed if inside or has_capability(one) is False]
    if not lacking:
        return None
    later = [one for one in dict.fromkeys(further) if one not in needed]
    absent = lacking + [one for one in later if inside or has_capability(one) is False]
    evidence = [f"this process lacks {_list(absent)}"]
    if inside:
        evidence.append("it is in a user namespace: what it has there does not count here")
        evidence += _tokens()
    return Missing(
        INSIDE if inside else CODE,
        f"{err.doing}: not permitted without {_words(lacking)}",
        tuple(evidence),
        f"{_WHERE[inside]}, or with {_words([*needed, *later])}",
    )


def name_missing(
    err: SyscallError, needed: Iterable[Capability], further: Iterable[Capability] = ()
) -> bool:
    """Say in the error which of the needed capabilities are `missing`, and whether any are."""
    return _apply(err, missing(err, needed, further))


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


def missing_for_call(err: SyscallError) -> Missing | None:
    """Say what is missing for a call that takes the same whatever it is about.

    Kernels that refuse each call of those without CAP_BPF are asked whether they do.
    """
    found = missing(err, of_call(err.call))
    if found or err.errno != errno.EPERM or not err.call.startswith("BPF_"):
        return found
    inside = in_initial_user_namespace() is False
    if (inside or has_capability(Capability.BPF) is False) and everything_refused():
        return missing(err, BPF_ONLY)
    return None


def explain_call(err: SyscallError) -> SyscallError:
    """Say in the error what is `missing_for_call`, and return it."""
    _apply(err, missing_for_call(err))
    return err


def _apply(err: SyscallError, found: Missing | None) -> bool:
    if found is None:
        return False
    err.code, err.message, err.remedy = found.code, found.message, found.remedy
    err.evidence += found.evidence
    return True


def _tokens() -> list[str]:
    """Name the bpffs that hand out tokens, by which others load programs in user namespaces."""
    found = [
        (mount.point, [one for one in mount.options if one.startswith("delegate_")])
        for mount in mounts()
        if mount.kind == "bpf"
    ]
    return [
        f"{point} hands out BPF tokens ({', '.join(what)}), which bpfctl does not use"
        for point, what in found
        if what
    ]


def _words(names: list[Capability]) -> str:
    texts = [f"CAP_{one.name}" for one in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _list(names: list[Capability]) -> str:
    return ", ".join(f"CAP_{one.name}" for one in names)
