"""Why a program could not be attached. Only imported when that happens."""

from __future__ import annotations

import errno

from bpfctl.btf.types import Kind
from bpfctl.errors import (
    BpfctlError,
    NotFoundError,
    SyscallError,
    UsageError,
)
from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach_explain_probe import explain_multi
from bpfctl.objects.attach_iter import lacks_cgroup
from bpfctl.objects.attach_lacking import lacking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

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
    net.Filter: frozenset({ProgType.SCHED_CLS}),
    net.Netkit: frozenset({ProgType.SCHED_CLS}),
    net.Netfilter: frozenset({ProgType.NETFILTER}),
}
_OF_NETWORK: Final = {
    AttachType.FLOW_DISSECTOR: ProgType.FLOW_DISSECTOR,
    AttachType.SK_LOOKUP: ProgType.SK_LOOKUP,
    AttachType.SK_MSG_VERDICT: ProgType.SK_MSG,
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
_UNTRACED: Final = (
    "its function cannot be traced (check: available_filter_functions of tracefs lacks it)"
)


def explain(err: SyscallError, prog: ProgInfo, target: targets.Target | net.Filter) -> BpfctlError:
    """Return the error to raise instead: with the cause where a check confirms one."""
    subject = f"program {prog.id} {prog.name}".rstrip()
    found = _wrong_type(prog, target)
    if isinstance(target, net.Filter):
        return (found or err).within(subject=subject)
    found = found or lacking(err, target)
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


def _wrong_type(prog: ProgInfo, target: targets.Target | net.Filter) -> BpfctlError | None:
    if isinstance(target, targets.Cgroup):
        kind = _OF_CGROUPS.get(target.attach_type, ProgType.CGROUP_SOCK_ADDR)
        fitting = frozenset({kind})
    elif isinstance(target, net.Netns | net.Sockmap):
        fitting = frozenset({_OF_NETWORK.get(target.attach_type, ProgType.SK_SKB)})
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
            from bpfctl.objects.attach_explain_cgroup import explain_cgroup

            return explain_cgroup(err, prog, target)
        case probes.KprobeMulti() | probes.UprobeMulti():
            return explain_multi(err, target)
        case targets.Loaded(cookie=cookie) if cookie and err.errno == errno.EINVAL:
            err.candidates.append("the program was loaded for another attach type")
        case targets.Loaded() | targets.Iter() if err.errno != errno.EBUSY:
            if err.errno == errno.EINVAL and err.call == "BPF_RAW_TRACEPOINT_OPEN":
                err.candidates.append(_UNTRACED)
            return lacks_cgroup(err, prog, target)
        case targets.Loaded():
            err.candidates += ["the program is attached already, and can be only once", _UNTRACED]
        case targets.Function():
            _replacement(err, prog, target)
        case _:
            from bpfctl.objects.attach_explain_net import explain_net

            return explain_net(err, target)
    return None


def _replacement(err: SyscallError, prog: ProgInfo, target: targets.Function) -> None:
    """Compare the two functions, or find who has the place already."""
    from bpfctl.kernel.info import prog_info
    from bpfctl.objects import replace_causes
    from bpfctl.objects.btf import loaded_btf

    cause = None
    try:
        info = prog_info(target.prog_fd)
        if err.errno == errno.EBUSY:
            cause = replace_causes.taken(info.number("id") or 0, target.btf_id, target.name)
        elif err.errno == errno.EINVAL and prog.btf_id:
            own = loaded_btf(prog.btf_id)
            function = own.find(prog.name, Kind.FUNC) or 0
            there = loaded_btf(info.number("btf_id") or 0)
            cause = replace_causes.differing((there, target.btf_id), (own, function))
    except BpfctlError:  # what cannot be looked at confirms nothing
        pass
    if cause is not None:
        err.code, err.message, err.remedy = cause.code, cause.headline, cause.remedy
        err.evidence += cause.evidence
    elif err.errno == errno.EINVAL:
        err.candidates.append("the function differs from the one the program was loaded for")
    elif err.errno == errno.EBUSY:
        err.candidates.append("the function is replaced already, or fentry or fexit is on it")


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
