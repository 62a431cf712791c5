"""Which map types the kernel can create: a smallest valid map of each is made and closed."""

from __future__ import annotations

import errno

from bpfctl.errors import ENOTSUPP
from bpfctl.features.verdict import errno_name, judge, unknown
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.uapi import MapType
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.features.prober import Prober
    from bpfctl.features.verdict import Verdict

_PAGE = 4096


@plain
class MapProbe:
    """How to make the smallest map of a type, and the first kernel that has the type.

    `storage` asks for type information of a u32 key and a u64 value, `inner` for an inner map.
    `vmlinux_value` is a type id of the kernel's BTF that struct_ops maps name; `exists` lists
    errnos by which the kernel rejects that on purpose and so shows that it knows the type.
    `config` is the option that builds the type (include/linux/bpf_types.h, Linux 6.18); empty
    where bpf(2) itself brings it.
    """

    since: str
    key_size: int = 4
    value_size: int = 4
    max_entries: int = 1
    flags: int = 0
    storage: bool = False
    inner: bool = False
    vmlinux_value: int = 0
    exists: frozenset[int] = frozenset()
    config: str = ""


def _local_storage(since: str, config: str = "") -> MapProbe:
    flags = MapFlags.NO_PREALLOC
    return MapProbe(since, value_size=8, max_entries=0, flags=flags, storage=True, config=config)


def _cgroup_storage(since: str) -> MapProbe:
    # The key is struct bpf_cgroup_storage_key: a u64 and a u32, padded to 16 bytes.
    config = "CONFIG_CGROUP_BPF"
    return MapProbe(since, key_size=16, value_size=8, max_entries=0, config=config)


def _ring(since: str) -> MapProbe:
    return MapProbe(since, key_size=0, value_size=0, max_entries=_PAGE)


# By the kernel's own names; first versions from the commits that added them (kernel/bpf/*.c).
PROBES: dict[str, MapProbe] = {
    "HASH": MapProbe("3.19"),
    "ARRAY": MapProbe("3.19"),
    "PROG_ARRAY": MapProbe("4.2"),
    "PERF_EVENT_ARRAY": MapProbe("4.3"),
    "PERCPU_HASH": MapProbe("4.6"),
    "PERCPU_ARRAY": MapProbe("4.6"),
    "STACK_TRACE": MapProbe("4.6", value_size=8, config="CONFIG_PERF_EVENTS"),
    "CGROUP_ARRAY": MapProbe("4.8", config="CONFIG_CGROUPS"),
    "LRU_HASH": MapProbe("4.10"),
    "LRU_PERCPU_HASH": MapProbe("4.10"),
    "LPM_TRIE": MapProbe("4.11", key_size=8, value_size=8, flags=MapFlags.NO_PREALLOC),
    "ARRAY_OF_MAPS": MapProbe("4.12", inner=True),
    "HASH_OF_MAPS": MapProbe("4.12", inner=True),
    "DEVMAP": MapProbe("4.14", config="CONFIG_NET"),
    "SOCKMAP": MapProbe("4.14", config="CONFIG_NET"),
    "CPUMAP": MapProbe("4.15", config="CONFIG_NET"),
    "XSKMAP": MapProbe("4.18", config="CONFIG_XDP_SOCKETS"),
    "SOCKHASH": MapProbe("4.18", config="CONFIG_NET"),
    "CGROUP_STORAGE": _cgroup_storage("4.19"),
    "REUSEPORT_SOCKARRAY": MapProbe("4.19", config="CONFIG_INET"),
    "PERCPU_CGROUP_STORAGE": _cgroup_storage("4.20"),
    "QUEUE": MapProbe("4.20", key_size=0),
    "STACK": MapProbe("4.20", key_size=0),
    "SK_STORAGE": _local_storage("5.2", config="CONFIG_NET"),
    "DEVMAP_HASH": MapProbe("5.4", config="CONFIG_NET"),
    # Type 1 of the kernel's BTF is no struct_ops value: a kernel with struct_ops says ENOTSUPP.
    "STRUCT_OPS": MapProbe(
        "5.6", vmlinux_value=1, exists=frozenset({ENOTSUPP}), config="CONFIG_BPF_JIT"
    ),
    "RINGBUF": _ring("5.8"),
    "INODE_STORAGE": _local_storage("5.10", config="CONFIG_BPF_LSM"),
    "TASK_STORAGE": _local_storage("5.11"),
    "BLOOM_FILTER": MapProbe("5.16", key_size=0),
    "USER_RINGBUF": _ring("6.1"),
    "CGRP_STORAGE": _local_storage("6.2", config="CONFIG_CGROUPS"),
    "ARENA": MapProbe("6.9", key_size=0, value_size=0, flags=MapFlags.MMAPABLE),
    # The value is struct bpf_insn_array_value: three u32 and padding.
    "INSN_ARRAY": MapProbe("6.19", value_size=16),
    # A hash table that grows (rhtab_map_alloc_check, kernel/bpf/hashtab.c).
    "RHASH": MapProbe("7.2", flags=MapFlags.NO_PREALLOC),
}

# EINVAL: no such type. E2BIG: a field of the request is newer than the kernel. EOPNOTSUPP: the
# type exists in the headers but was not built in (arenas without a 64-bit JIT).
_NO = frozenset({errno.EINVAL, errno.E2BIG, errno.EOPNOTSUPP})


def probe_map_types(prober: Prober) -> dict[str, Verdict]:
    """Return a verdict for each map type we know, by its lower-case name ("lru_hash")."""
    return {kind.name.lower(): probe_map_type(prober, kind) for kind in MapType if kind}


def probe_map_type(prober: Prober, kind: MapType) -> Verdict:
    """Say whether the kernel can create maps of a type.

    Without what the map is made of (type information, an inner map) it cannot be told.
    """
    how = PROBES.get(kind.name)
    if how is None:
        return unknown("bpfctl has no probe for this map type")
    lacking = prober.lacking(how)
    if lacking:
        reason = f"what it is made of cannot be made: {errno_name(lacking)}"
        return unknown(reason, lacking, how.since)
    number = prober.create_map(kind, how)
    return judge(number, no=_NO - how.exists, yes=how.exists, since=how.since)
