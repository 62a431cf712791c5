"""Which capabilities the kernel asks for, by what it is asked. Read only when it refused.

Source: bpf_prog_load() with is_net_admin_prog_type() and is_perfmon_prog_type(), map_create() and
the *_by_id functions in kernel/bpf/syscall.c, bpf_prog_attach_check_attach_type() there, and
perf_allow_*() in include/linux/perf_event.h; the same from Linux 5.10 to 7.3.
"""

from __future__ import annotations

from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.linux.caps import Capability

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Needs = tuple[Capability, ...]

BPF_ONLY: Final[Needs] = (Capability.BPF,)
ADMIN_ONLY: Final[Needs] = (Capability.SYS_ADMIN,)
# A uprobe within an instruction is destructive: CAP_PERFMON does not do since Linux 6.16 and the
# stable kernels of its time ("perf: Revert to requiring CAP_SYS_ADMIN for uprobes").
UPROBES: Final = ADMIN_ONLY
PERFMON_TYPES: Final = frozenset(
    {
        ProgType.KPROBE,
        ProgType.TRACEPOINT,
        ProgType.PERF_EVENT,
        ProgType.RAW_TRACEPOINT,
        ProgType.RAW_TRACEPOINT_WRITABLE,
        ProgType.TRACING,
        ProgType.LSM,
        ProgType.STRUCT_OPS,
        ProgType.EXT,
    }
)
NET_ADMIN_TYPES: Final = frozenset(
    {
        ProgType.SCHED_CLS,
        ProgType.SCHED_ACT,
        ProgType.XDP,
        ProgType.LWT_IN,
        ProgType.LWT_OUT,
        ProgType.LWT_XMIT,
        ProgType.LWT_SEG6LOCAL,
        ProgType.SK_SKB,
        ProgType.SK_MSG,
        ProgType.FLOW_DISSECTOR,
        ProgType.CGROUP_DEVICE,
        ProgType.CGROUP_SOCK,
        ProgType.CGROUP_SOCK_ADDR,
        ProgType.CGROUP_SOCKOPT,
        ProgType.CGROUP_SYSCTL,
        ProgType.SOCK_OPS,
        ProgType.EXT,
        ProgType.NETFILTER,
    }
)
NET_ADMIN_MAPS: Final = frozenset(
    {MapType.SOCKMAP, MapType.SOCKHASH, MapType.DEVMAP, MapType.DEVMAP_HASH, MapType.XSKMAP}
)


def of_program(prog_type: int) -> Needs:
    """Return what loading a program of a type takes; CAP_SYS_ADMIN stands in for all of it."""
    perfmon = (Capability.PERFMON,) if prog_type in PERFMON_TYPES else ()
    net_admin = (Capability.NET_ADMIN,) if prog_type in NET_ADMIN_TYPES else ()
    return (*BPF_ONLY, *perfmon, *net_admin)


def of_map(map_type: int) -> Needs:
    """Return what making a map of a type takes, where kernel.unprivileged_bpf_disabled is not 0."""
    return (*BPF_ONLY, *((Capability.NET_ADMIN,) if map_type in NET_ADMIN_MAPS else ()))


def of_call(call: str) -> Needs:
    """Return what a call takes whatever it is about; nothing for most."""
    if call.endswith(("_GET_NEXT_ID", "_GET_FD_BY_ID")):
        return ADMIN_ONLY
    return _OF_CALLS.get(call, ())


_OF_CALLS: Final[dict[str, Needs]] = {
    "BPF_BTF_LOAD": BPF_ONLY,
    "perf_event_open": (Capability.PERFMON,),
    "netlink": (Capability.NET_ADMIN,),  # for all that changes something
}


def of_attach(call: str, prog_type: int) -> Needs:
    """Return what attaching takes beyond what the program's load took.

    Programs of type cgroup_skb can be loaded without CAP_NET_ADMIN, so it is asked for later.
    """
    if call == "BPF_LINK_CREATE" and prog_type == ProgType.CGROUP_SKB:
        return (Capability.NET_ADMIN,)
    return of_call(call)
