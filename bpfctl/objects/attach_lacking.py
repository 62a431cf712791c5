"""Whether a kernel lacks what an attachment needs. Asked when one failed."""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError, NotSupportedError
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects import attach_targets as targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.errors import SyscallError

LINK_LACKING: Final = "link-kind-unsupported"  # the code of errors for links a kernel lacks
# Kinds of links that a kernel we support may lack, by what is attached to. See features/links.py.
_YOUNG_LINKS: Final[dict[type[object], str]] = {
    targets.Tracepoint: "perf_event",
    targets.Tcx: "tcx",
    net.Netkit: "netkit",
    net.Netfilter: "netfilter",
    net.Sockmap: "sockmap",
    probes.Kprobe: "perf_event",
    probes.Uprobe: "perf_event",
    probes.Usdt: "perf_event",
    probes.PerfEvent: "perf_event",
    probes.KprobeMulti: "kprobe_multi",
    probes.TracingMulti: "tracing_multi",
    probes.UprobeMulti: "uprobe_multi",
}
_SESSIONS: Final = {"kprobe_multi": "kprobe_session", "uprobe_multi": "uprobe_session"}
# Cookies: a struct of the kernel and its member that came with them, and when.
_COOKIES: Final[dict[type[object], tuple[str, str, str]]] = {
    targets.Loaded: ("bpf_tramp_run_ctx", "bpf_cookie", "5.19"),
    targets.RawTracepoint: ("bpf_raw_tp_link", "cookie", "6.10"),
}
_RAW_TP: Final = AttachType.TRACE_RAW_TP
# EINVAL: unknown command or attach type; E2BIG: fields this kernel does not know.
_MAY_MEAN_LACKING: Final = frozenset({errno.EINVAL, errno.E2BIG, errno.EOPNOTSUPP})
_LINKING: Final = frozenset({"BPF_LINK_CREATE", "BPF_RAW_TRACEPOINT_OPEN"})
_HOLDABLE: Final = frozenset({"perf_event", "tcx", "sockmap"})  # see attach_held.py
_HELD_INSTEAD: Final = (
    "without a link, for as long as bpfctl runs: bpfctl link create PROG TARGET... --hold"
)


def lacking(err: SyscallError, target: targets.Target) -> NotSupportedError | None:
    """Ask the kernel whether it has such links at all, where its answer may mean that."""
    if err.errno not in _MAY_MEAN_LACKING or err.call not in _LINKING:
        return None
    return lacks_cookies(target) or _lacks_order(target) or lacks_links(target)


def lacks_links(target: targets.Target) -> NotSupportedError | None:
    """Return the error to raise where the kernel has no links to such targets; None: it has."""
    name = _YOUNG_LINKS.get(type(target))
    if name is None:
        return None
    if isinstance(target, probes.KprobeMulti | probes.UprobeMulti) and target.is_session:
        name = _SESSIONS[name]
    from bpfctl.features.links import probe_link
    from bpfctl.features.prober import Prober

    with Prober() as prober:
        verdict = probe_link(prober, name)
    if verdict.available is not False:
        return None
    return NotSupportedError(
        f"{name} links",
        verdict.since,
        code=LINK_LACKING,
        evidence=[verdict.reason],
        remedy=_instead(target) if name in _HOLDABLE else None,
    )


def _instead(target: targets.Target) -> str:
    """Say what there is without links."""
    if not isinstance(target, targets.Tcx):
        return _HELD_INSTEAD
    side = net.side_word(target.attach_type)
    stays = f"bpfctl net attach tc_{side} PROG dev {target.device}"
    return f"as a filter of tc, which stays: {stays}; or {_HELD_INSTEAD}"


def lacks_cookies(target: targets.Target) -> NotSupportedError | None:
    """Return the error to raise where programs there get no cookies; None: they may."""
    if not isinstance(target, targets.Loaded | targets.RawTracepoint):
        return None
    is_raw = isinstance(target, targets.RawTracepoint) or target.attach_type == _RAW_TP
    struct, member, since = _COOKIES[targets.RawTracepoint if is_raw else targets.Loaded]
    if not target.cookie or _has_member(struct, member) is not False:
        return None
    return NotSupportedError(
        "cookies of such programs",
        since,
        code="cookie-unsupported",
        evidence=[f"its struct {struct} has no {member}"],
    )


def _lacks_order(target: targets.Target) -> NotSupportedError | None:
    is_ordered = isinstance(target, targets.Cgroup) and target.order != net.LAST
    if not is_ordered or _has_member("cgroup_bpf", "revisions") is not False:
        return None
    return NotSupportedError(
        "an order of the programs in a cgroup",
        "6.17",
        code="order-unsupported",
        evidence=["its struct cgroup_bpf has no revisions"],
        remedy="attach them in the order in which they are to run",
    )


def _has_member(struct: str, member: str) -> bool | None:
    """Ask the kernel's own types; None where it does not show them."""
    from bpfctl.btf.types import Kind, Struct
    from bpfctl.objects.btf import kernel_btf

    try:
        btf = kernel_btf()
    except BpfctlError:
        return None
    found = btf.find(struct, Kind.STRUCT)
    value = btf.type(found) if found is not None else None
    return isinstance(value, Struct) and member in [one.name for one in value.members]
