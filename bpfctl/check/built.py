"""Which map and program types a kernel was built with: its types show the functions behind them.

Its enumerations list what its source knows, whatever the configuration left out. Source: the
files that define the operations of each type (include/linux/bpf_types.h), Linux 5.10 to 7.3.
"""

from __future__ import annotations

from bpfctl.check.finding import State
from bpfctl.features.maps import PROBES
from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.check.kernels import Target


class Built(NamedTuple):
    """The option that builds something, and names that are there when it is built in.

    Types may lack `functions`: before Linux 5.12 they had only those that can be traced. They have
    every typedef: none of `typedefs` means that it was not built in.
    """

    config: str = ""
    functions: tuple[str, ...] = ()
    typedefs: tuple[str, ...] = ()


_MAP_FUNCTIONS: Final = {
    MapType.STACK_TRACE: ("stack_map_alloc",),
    MapType.CGROUP_ARRAY: ("cgroup_fd_array_free", "cgroup_fd_array_get_ptr"),
    MapType.DEVMAP: ("dev_map_alloc",),
    MapType.DEVMAP_HASH: ("dev_map_alloc",),
    MapType.SOCKMAP: ("sock_map_alloc",),
    MapType.SOCKHASH: ("sock_hash_alloc",),
    MapType.CPUMAP: ("cpu_map_alloc",),
    MapType.XSKMAP: ("xsk_map_alloc",),
    MapType.CGROUP_STORAGE: ("bpf_cgroup_storage_assign",),
    MapType.PERCPU_CGROUP_STORAGE: ("bpf_cgroup_storage_assign",),
    MapType.REUSEPORT_SOCKARRAY: ("reuseport_array_alloc",),
    MapType.SK_STORAGE: ("bpf_sk_storage_map_alloc", "bpf_sk_storage_free"),
    MapType.STRUCT_OPS: ("bpf_struct_ops_map_alloc",),
    MapType.INODE_STORAGE: ("inode_storage_map_alloc",),
    MapType.CGRP_STORAGE: ("bpf_cgrp_storage_free",),
}
# include/trace/define_trace.h, Linux 5.5: each tracepoint has one, with this option alone.
_TRACEPOINTS: Final = ("btf_trace_sched_switch", "btf_trace_sys_enter")
_TRACING: Final = Built("CONFIG_BPF_EVENTS", typedefs=_TRACEPOINTS)
_PROGRAMS: Final = {
    **dict.fromkeys(
        (
            ProgType.KPROBE,
            ProgType.TRACEPOINT,
            ProgType.PERF_EVENT,
            ProgType.RAW_TRACEPOINT,
            ProgType.RAW_TRACEPOINT_WRITABLE,
            ProgType.TRACING,
        ),
        _TRACING,
    ),
    ProgType.LSM: Built("CONFIG_BPF_LSM", ("bpf_lsm_verify_prog",)),
    ProgType.LIRC_MODE2: Built("CONFIG_BPF_LIRC_MODE2", ("lirc_prog_attach",)),
    ProgType.NETFILTER: Built("CONFIG_NETFILTER_BPF_LINK", ("bpf_nf_link_attach",)),
    **dict.fromkeys(
        (
            ProgType.CGROUP_DEVICE,
            ProgType.CGROUP_SYSCTL,
            ProgType.CGROUP_SOCKOPT,
        ),
        Built("CONFIG_CGROUP_BPF", ("cgroup_bpf_inherit", "cgroup_bpf_offline")),
    ),
    ProgType.STRUCT_OPS: Built("CONFIG_BPF_JIT", ("bpf_struct_ops_map_alloc",)),
    ProgType.EXT: Built("CONFIG_BPF_JIT", ("bpf_trampoline_link_prog",)),
}


def map_built(number: int) -> Built:
    """How to tell whether maps of a type were built in."""
    try:
        kind = MapType(number)
    except ValueError:
        return Built()
    probe = PROBES.get(kind.name)
    return Built(probe.config if probe else "", _MAP_FUNCTIONS.get(kind, ()))


def program_built(number: int) -> Built:
    """How to tell whether programs of a type were built in."""
    return _PROGRAMS.get(ProgType(number), Built())


def judge(built: Built, target: Target) -> tuple[State, str]:
    """Say whether what the kernel lists was built in."""
    if not built.config:
        return State.FOUND, ""
    if any(map(target.has_function, built.functions)) or any(
        map(target.has_typedef, built.typedefs)
    ):
        return State.FOUND, ""
    if target.config is not None:
        if target.config.get(built.config) in ("y", "m"):
            return State.FOUND, ""
        return State.MISSING, f"{built.config} is not set in {target.config.source}"
    if built.typedefs:
        names = " or ".join(built.typedefs)
        return State.MISSING, f"its types have no {names}: it was built without {built.config}"
    return State.UNKNOWN, f"its types do not show {built.config}: name a file with --kernel-config"
