"""The first kernel of iterators, of structs of functions, and of what maps and programs may be.

Sources: the commits that added them (bpf_iter_reg_target(), register_bpf_struct_ops(), flags of
include/uapi/linux/bpf.h).
"""

from __future__ import annotations

from bpfctl.kernel.flags import MapFlags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ITERATORS: Final = {
    "bpf_map": "5.8",
    "ipv6_route": "5.8",
    "netlink": "5.8",
    "task": "5.8",
    "task_file": "5.8",
    "bpf_map_elem": "5.9",
    "bpf_prog": "5.9",
    "bpf_sk_storage_map": "5.9",
    "tcp": "5.9",
    "udp": "5.9",
    "sockmap": "5.10",
    "task_vma": "5.12",
    "unix": "5.15",
    "bpf_link": "5.19",
    "ksym": "6.0",
    "cgroup": "6.1",
    "kmem_cache": "6.13",
    "dmabuf": "6.16",
}
STRUCT_OPS: Final = {
    "tcp_congestion_ops": "5.6",
    "bpf_dummy_ops": "5.16",
    "hid_bpf_ops": "6.11",
    "sched_ext_ops": "6.12",
    "Qdisc_ops": "6.16",
    "io_uring_bpf_ops": "7.1",
    "sched_ext_ops_cid": "7.2",
}
STRUCT_OPS_LINK: Final = "6.4"
MAP_FLAGS: Final = {
    MapFlags.NO_PREALLOC: "4.6",
    MapFlags.NO_COMMON_LRU: "4.10",
    MapFlags.NUMA_NODE: "4.14",
    MapFlags.RDONLY: "4.15",
    MapFlags.WRONLY: "4.15",
    MapFlags.STACK_BUILD_ID: "4.17",
    MapFlags.ZERO_SEED: "5.0",
    MapFlags.RDONLY_PROG: "5.2",
    MapFlags.WRONLY_PROG: "5.2",
    MapFlags.CLONE: "5.4",
    MapFlags.MMAPABLE: "5.5",
    MapFlags.PRESERVE_ELEMS: "5.10",
    MapFlags.INNER_MAP: "5.10",
    MapFlags.LINK: STRUCT_OPS_LINK,
    MapFlags.SEGV_ON_FAULT: "6.9",
    MapFlags.NO_USER_CONV: "6.9",
    MapFlags.RB_OVERWRITE: "6.19",
}
