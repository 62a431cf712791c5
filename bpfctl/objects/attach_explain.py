"""Why a program could not be attached. Only imported when that happens."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bpfctl.errors import (
    BpfctlError,
    NotFoundError,
    PathError,
    SyscallError,
    UsageError,
)
from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.linux.mounts import mounts
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach_explain_probe import explain_multi
from bpfctl.objects.attach_iter import lacks_cgroup
from bpfctl.objects.attach_lacking import lacking
from bpfctl.objects.cgroup import forbidding, path_within

if TYPE_CHECKING:
    from bpfctl.objects.prog import ProgInfo

_TRACING: Final = frozenset({ProgType.TRACING, ProgType.LSM, ProgType.EXT})
_KPROBE: Final = frozenset({ProgType.KPROBE})
# Types that a kind of target takes (attach_type_to_prog_type and bpf_prog_attach_check_attach_type,
# kernel/bpf/syscall.c, Linux 6.18).
_FITTING: Final[dict[type[object], frozenset[ProgType]]] = {
    targets.RawTracepoint: frozenset({ProgType.RAW_TRACEPOINT, ProgType.RAW_TRACEPOINT_WRITABLE}),
    targets.Loaded: _TRACING,
    targets.Function: frozenset({ProgType.EXT}),
    targets.Tracepoint: frozenset({ProgType.TRACEPOINT}),
    probes.Kprobe: _KPROBE,
    probes.Uprobe: _KPROBE,
    probes.KprobeMulti: _KPROBE,
    probes.UprobeMulti: _KPROBE,
    probes.TracingMulti: frozenset({ProgType.TRACING}),
    probes.Usdt: _KPROBE,
    probes.PerfEvent: frozenset({ProgType.PERF_EVENT}),
    targets.Iter: frozenset({ProgType.TRACING}),
    targets.Xdp: frozenset({ProgType.XDP}),
    targets.Tcx: frozenset({ProgType.SCHED_CLS}),
    net.Netkit: frozenset({ProgType.SCHED_CLS}),
    net.Netns: frozenset({ProgType.FLOW_DISSECTOR, ProgType.SK_LOOKUP}),
    net.Netfilter: frozenset({ProgType.NETFILTER}),
    net.Sockmap: frozenset({ProgType.SK_MSG, ProgType.SK_SKB}),
}
_OF_CGROUPS: Final = {
    AttachType.CGROUP_INET_INGRESS: ProgType.CGROUP_SKB,
    AttachType.CGROUP_INET_EGRESS: ProgType.CGROUP_SKB,
    AttachType.CGROUP_INET_SOCK_CREATE: ProgType.CGROUP_SOCK,
    AttachType.CGROUP_INET_SOCK_RELEASE: ProgType.CGROUP_SOCK,
    AttachType.CGROUP_INET4_POST_BIND: ProgType.CGROUP_SOCK,
    AttachType.CGROUP_INET6_POST_BIND: ProgType.CGROUP_SOCK,
    AttachType.CGROUP_SOCK_OPS: ProgType.SOCK_OPS,
    AttachType.CGROUP_DEVICE: ProgType.CGROUP_DEVICE,
    AttachType.CGROUP_SYSCTL: ProgType.CGROUP_SYSCTL,
    AttachType.CGROUP_GETSOCKOPT: ProgType.CGROUP_SOCKOPT,
    AttachType.CGROUP_SETSOCKOPT: ProgType.CGROUP_SOCKOPT,
    AttachType.LSM_CGROUP: ProgType.LSM,
}
_NOT_THERE: Final = frozenset({errno.ENOENT, errno.EINVAL})
_BUSY: Final = frozenset({errno.EBUSY, errno.EEXIST})


def explain(err: SyscallError, prog: ProgInfo, target: targets.Target) -> BpfctlError:
    """Return the error to raise instead: with the cause where a check confirms one."""
    subject = f"program {prog.id} {prog.name}".rstrip()
    found = _wrong_type(prog, target) or lacking(err, target)
    if found is None and not _denied(err, prog, target):
        found = _cause(err, prog, target)
    return (found or err).within(subject=subject)


def _denied(err: SyscallError, prog: ProgInfo, target: targets.Target) -> bool:
    """Name the capability that is missing; False where it is not for lack of one."""
    from bpfctl.objects.denial import name_missing, name_missing_for_event
    from bpfctl.objects.needs import UPROBES, of_attach

    needed = of_attach(err.call, prog.type)
    if err.call != "perf_event_open":
        return name_missing(err, needed)
    return name_missing_for_event(err, UPROBES if isinstance(target, probes.Uprobe) else needed)


def _wrong_type(prog: ProgInfo, target: targets.Target) -> BpfctlError | None:
    if isinstance(target, targets.Cgroup):
        kind = _OF_CGROUPS.get(target.attach_type, ProgType.CGROUP_SOCK_ADDR)
        fitting = frozenset({kind})
    else:
        fitting = _FITTING[type(target)]
    if prog.type in fitting or not isinstance(prog.type, ProgType):
        return None
    wanted = " or ".join(sorted(str(label(ProgType, kind)) for kind in fitting))
    return UsageError(
        f"cannot attach to {target}: that takes programs of type {wanted}, not {prog.type_name}",
        code="attach-program-type",
    )


def _cause(err: SyscallError, prog: ProgInfo, target: targets.Target) -> BpfctlError | None:
    """Look at what the target says."""
    match target:
        case targets.RawTracepoint(name) if err.errno == errno.ENOENT:
            return _no_raw_tracepoint(name)
        case targets.Cgroup():
            return _cgroup(err, target)
        case targets.Xdp(device):
            return _xdp(err, device, target)
        case probes.KprobeMulti() | probes.UprobeMulti():
            return explain_multi(err, target)
        case targets.Loaded(cookie=cookie) if cookie and err.errno == errno.EINVAL:
            err.candidates.append("the program was loaded for another attach type")
        case targets.Loaded() | targets.Iter() if err.errno != errno.EBUSY:
            return lacks_cgroup(err, prog, target)
        case targets.Loaded():
            err.candidates.append("the program is attached already, and can be only once")
        case targets.Function() if err.errno == errno.EINVAL:
            err.candidates.append("the function differs from the one the program was loaded for")
        case targets.Tcx() | net.Netkit() | net.Netfilter():
            _among_others(err, target)
        case _:
            return None
    return None


def _among_others(err: SyscallError, target: targets.Tcx | net.Netkit | net.Netfilter) -> None:
    """Say what may be wrong with the place among the programs there."""
    if isinstance(target, net.Netfilter):
        if err.errno in _BUSY:
            err.candidates.append("a program of that priority is attached there already")
        return
    order = target.order
    if order.neighbour_id and err.errno in _NOT_THERE:
        err.candidates.append(f"{order.neighbour} {order.neighbour_id} is not attached there")
    elif err.errno == errno.ESTALE:
        err.candidates.append(f"what is attached there changed since revision {order.revision}")
    elif err.errno == errno.EEXIST:
        err.candidates.append("the program is attached there already")


def _no_raw_tracepoint(name: str) -> BpfctlError:
    from difflib import get_close_matches

    near = get_close_matches(name[:64], raw_tracepoints(), n=3)
    return NotFoundError(
        f"this kernel has no raw tracepoint called {name}",
        code="no-such-tracepoint",
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )


def raw_tracepoints() -> list[str]:
    """Return the names of the kernel's tracepoints, from its types; none where it has no types.

    A tracepoint's arguments are a typedef btf_trace_NAME (include/trace/bpf_probe.h, Linux 5.5).
    """
    from bpfctl.objects.btf import kernel_btf

    prefix, names = b"\0btf_trace_", []
    try:
        data = kernel_btf().data
    except BpfctlError:
        return []
    at = data.find(prefix)
    while at >= 0:
        start = at + len(prefix)
        end = data.find(b"\0", start)
        names.append(data[start:end].decode(errors="replace"))
        at = data.find(prefix, end)
    return names


def _cgroup(err: SyscallError, target: targets.Cgroup) -> BpfctlError | None:
    path = target.path
    try:
        device = Path(path).stat().st_dev
    except OSError:  # gone meanwhile, or not ours to see
        device = None
    groups = [mount for mount in mounts() if mount.kind == "cgroup2"]
    if not any(mount.device == device for mount in groups):
        where = f"cgroups of version 2 are below {groups[0].point}" if groups else None
        return PathError(
            "this is no cgroup of version 2", code="not-cgroup2", subject=path, remedy=where
        )
    if err.errno == errno.EPERM:
        _forbidden(err, target)
    elif err.errno == errno.ESTALE:
        err.candidates.append(f"what runs there changed since revision {target.order.revision}")
    elif err.errno in _NOT_THERE and target.order.neighbour_id:
        neighbour = f"{target.order.neighbour} {target.order.neighbour_id}"
        err.candidates.append(f"{neighbour} is not attached there, or by a link and is named by it")
    elif err.errno == errno.EINVAL:
        err.candidates.append("the program was loaded for another attach type")
    return None


def _forbidden(err: SyscallError, target: targets.Cgroup) -> None:
    """Find the cgroup that admits no other program, and say so."""
    found = forbidding(target.path, target.attach_type)
    if found is None:
        return
    is_own = found.path == path_within(os.path.realpath(target.path))
    whose = "another program there" if is_own else "an ancestor"
    err.message = f"cannot attach to {target}: {whose} forbids it"
    err.code = "cgroup-attach-forbidden"
    how = "with override only" if found.flags else "without override or multi"
    ids = ", ".join(map(str, found.prog_ids))
    err.evidence.append(f"{found.path} runs program {ids}, attached {how}")
    err.remedy = f"attach program {ids} as a link or with multi, or attach above it"


def _xdp(err: SyscallError, device: str, target: targets.Xdp) -> BpfctlError | None:
    if err.errno in _BUSY:
        err.code = "xdp-busy"
        err.evidence += _xdp_there(device)
        err.remedy = "detach it first (see: bpfctl link show)"
    elif err.errno == errno.EOPNOTSUPP and target.mode in ("driver", "offload"):
        err.code = "xdp-mode"
        err.candidates.append(f"the driver of {device} does not have {target.mode} mode")
        err.remedy = "try generic mode"
    return None


def _xdp_there(device: str) -> list[str]:
    from bpfctl.kernel.netlink import xdp_attachments

    try:
        found = [one for one in xdp_attachments() if one.name == device]
    except (BpfctlError, OSError):
        return []
    return [f"{device} runs program {one.prog_id} in {one.mode.name.lower()} mode" for one in found]
