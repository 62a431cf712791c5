"""Which option of the kernel's configuration builds a feature: the reason for many a "no"."""

from __future__ import annotations

from bpfctl.features.verdict import not_available
from bpfctl.kernel.uapi import ProgType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.features.verdict import Verdict
    from bpfctl.linux.kconfig import KernelConfig

_EVENTS = ("KPROBE", "TRACEPOINT", "PERF_EVENT", "RAW_TRACEPOINT", "RAW_TRACEPOINT_WRITABLE")
_NETWORK = (
    *("SOCKET_FILTER", "SCHED_CLS", "SCHED_ACT", "XDP", "LWT_IN", "LWT_OUT", "LWT_XMIT"),
    *("LWT_SEG6LOCAL", "SOCK_OPS", "SK_SKB", "SK_MSG", "FLOW_DISSECTOR"),
)
_CGROUP = (
    *("CGROUP_SKB", "CGROUP_SOCK", "CGROUP_SOCK_ADDR", "CGROUP_DEVICE"),
    *("CGROUP_SYSCTL", "CGROUP_SOCKOPT"),
)

# include/linux/bpf_types.h, Linux 6.18.
PROG_TYPES: dict[ProgType, str] = {
    **{ProgType[name]: "CONFIG_BPF_EVENTS" for name in (*_EVENTS, "TRACING")},
    **{ProgType[name]: "CONFIG_NET" for name in _NETWORK},
    **{ProgType[name]: "CONFIG_CGROUP_BPF" for name in _CGROUP},
    ProgType.LIRC_MODE2: "CONFIG_BPF_LIRC_MODE2",
    ProgType.SK_REUSEPORT: "CONFIG_INET",
    ProgType.SK_LOOKUP: "CONFIG_INET",
    ProgType.STRUCT_OPS: "CONFIG_BPF_JIT",
    ProgType.EXT: "CONFIG_BPF_JIT",
    ProgType.LSM: "CONFIG_BPF_LSM",
    ProgType.NETFILTER: "CONFIG_NETFILTER_BPF_LINK",
}

# What `feature probe` shows of the configuration: the options bpftool shows, in its order,
BPFTOOL_OPTIONS = (
    *("CONFIG_BPF", "CONFIG_BPF_SYSCALL", "CONFIG_HAVE_EBPF_JIT", "CONFIG_BPF_JIT"),
    *("CONFIG_BPF_JIT_ALWAYS_ON", "CONFIG_DEBUG_INFO_BTF", "CONFIG_DEBUG_INFO_BTF_MODULES"),
    *("CONFIG_CGROUPS", "CONFIG_CGROUP_BPF", "CONFIG_CGROUP_NET_CLASSID"),
    *("CONFIG_SOCK_CGROUP_DATA", "CONFIG_BPF_EVENTS", "CONFIG_KPROBE_EVENTS"),
    *("CONFIG_UPROBE_EVENTS", "CONFIG_TRACING", "CONFIG_FTRACE_SYSCALLS"),
    *("CONFIG_FUNCTION_ERROR_INJECTION", "CONFIG_BPF_KPROBE_OVERRIDE", "CONFIG_NET"),
    *("CONFIG_XDP_SOCKETS", "CONFIG_LWTUNNEL_BPF", "CONFIG_NET_ACT_BPF", "CONFIG_NET_CLS_BPF"),
    *("CONFIG_NET_CLS_ACT", "CONFIG_NET_SCH_INGRESS", "CONFIG_XFRM", "CONFIG_IP_ROUTE_CLASSID"),
    *("CONFIG_IPV6_SEG6_BPF", "CONFIG_BPF_LIRC_MODE2", "CONFIG_BPF_STREAM_PARSER"),
    *("CONFIG_NETFILTER_XT_MATCH_BPF", "CONFIG_BPFILTER", "CONFIG_BPFILTER_UMH"),
    *("CONFIG_TEST_BPF", "CONFIG_HZ"),
)
# and those that explain our other answers.
OUR_OPTIONS = (
    *("CONFIG_BPF_LSM", "CONFIG_BPF_UNPRIV_DEFAULT_OFF", "CONFIG_BPF_JIT_DEFAULT_ON"),
    *("CONFIG_BPF_PRELOAD", "CONFIG_LSM", "CONFIG_SECURITY_LOCKDOWN_LSM", "CONFIG_KALLSYMS"),
    *("CONFIG_FUNCTION_TRACER", "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "CONFIG_FPROBE"),
    *("CONFIG_KPROBES", "CONFIG_UPROBES", "CONFIG_PERF_EVENTS", "CONFIG_INET"),
    *("CONFIG_NET_XGRESS", "CONFIG_NETKIT", "CONFIG_NETFILTER_BPF_LINK", "CONFIG_SCHED_CLASS_EXT"),
)


def explained(verdict: Verdict, option: str, config: KernelConfig | None) -> Verdict:
    """Name the option that is missing, where the answer is no and the configuration tells."""
    if verdict.available is not False or config is None or not option:
        return verdict
    if config.get(option) is not None:
        return verdict
    return not_available(f"{option} is not set", verdict.errno, verdict.since)
