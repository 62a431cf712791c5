"""What programs can be attached to: targets for `Program.attach`, all in one place.

from bpfctl.targets import Order, Tcx, AttachType

obj.programs["count"].attach(Tcx("eth0", AttachType.TCX_INGRESS, Order("before")))
"""

from __future__ import annotations

from bpfctl.kernel.uapi import AttachType, CgroupIterOrder
from bpfctl.objects.attach_net_targets import Filter, Netfilter, Netkit, Netns, Order, Sockmap
from bpfctl.objects.attach_probe_targets import (
    Kprobe,
    KprobeMulti,
    PerfEvent,
    TracingMulti,
    Uprobe,
    UprobeMulti,
    Usdt,
)
from bpfctl.objects.attach_targets import (
    Cgroup,
    Function,
    Iter,
    Loaded,
    RawTracepoint,
    Target,
    Tcx,
    Tracepoint,
    Xdp,
)

__all__ = [
    "AttachType",
    "Cgroup",
    "CgroupIterOrder",
    "Filter",
    "Function",
    "Iter",
    "Kprobe",
    "KprobeMulti",
    "Loaded",
    "Netfilter",
    "Netkit",
    "Netns",
    "Order",
    "PerfEvent",
    "RawTracepoint",
    "Sockmap",
    "Target",
    "Tcx",
    "Tracepoint",
    "TracingMulti",
    "Uprobe",
    "UprobeMulti",
    "Usdt",
    "Xdp",
]  # fmt: skip
