"""What the kernel asks of a map by its type: which rules a request breaks, and what mends it.

Sources: the *_alloc_check() functions of kernel/bpf/*.c and net/core/bpf_sk_storage.c, Linux 5.10
to 7.3. A rule here is never taken for the cause by itself: `maps` has the kernel confirm it.
"""

from __future__ import annotations

from bpfctl.explain.explanation import Explanation
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.uapi import MapType as M
from bpfctl.linux.cpus import online_nodes
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

Fields = dict[str, int]

ZERO: Final = "map-without-size"
NOT_ZERO: Final = "map-size-not-zero"
RING: Final = "map-ring-size"
KEY: Final = "map-key-size-refused"
VALUE: Final = "map-value-size-refused"
NO_PREALLOC: Final = "map-no-prealloc-missing"
MMAPABLE: Final = "map-mmapable-missing"
NUMA: Final = "map-numa-node"
EXTRA: Final = "map-extra-refused"
FLAG: Final = "map-flag-refused"

INDEXED: Final = frozenset(
    {
        *(M.ARRAY, M.PERCPU_ARRAY, M.PROG_ARRAY, M.PERF_EVENT_ARRAY, M.CGROUP_ARRAY),
        *(M.ARRAY_OF_MAPS, M.DEVMAP, M.CPUMAP, M.XSKMAP, M.SOCKMAP, M.REUSEPORT_SOCKARRAY),
    }
)
RINGS: Final = frozenset({M.RINGBUF, M.USER_RINGBUF})
STORAGE: Final = frozenset({M.SK_STORAGE, M.INODE_STORAGE, M.TASK_STORAGE, M.CGRP_STORAGE})
_SIZELESS: Final = STORAGE | {M.CGROUP_STORAGE, M.PERCPU_CGROUP_STORAGE}
_KEYLESS: Final = RINGS | {M.QUEUE, M.STACK, M.BLOOM_FILTER, M.ARENA}
_VALUELESS: Final = RINGS | {M.ARENA}
_HASHES: Final = frozenset({M.HASH, M.PERCPU_HASH, M.LRU_HASH, M.LRU_PERCPU_HASH, M.HASH_OF_MAPS})
_OF_DESCRIPTORS: Final = frozenset(
    {*(M.PROG_ARRAY, M.PERF_EVENT_ARRAY, M.CGROUP_ARRAY, M.ARRAY_OF_MAPS, M.HASH_OF_MAPS), M.XSKMAP}
)
_PACKED: Final = frozenset({M.DEVMAP, M.DEVMAP_HASH, M.CPUMAP, M.SOCKMAP, M.SOCKHASH})
_PER_CPU: Final = frozenset({M.PERCPU_HASH, M.PERCPU_ARRAY, M.LRU_PERCPU_HASH})
_PREALLOC_NEVER: Final = STORAGE | {M.LPM_TRIE, M.RHASH}
_LPM_KEY: Final = range(5, 4 + 256 + 1)  # a prefix length of 4 bytes, and 1 to 256 bytes of data
_MOST_PER_CPU_BYTES: Final = 32 << 10  # PCPU_MIN_UNIT_SIZE
_MOST_BYTES: Final = 4 << 20  # KMALLOC_MAX_SIZE, for key and value together
_MOST_OLD_KEY_BYTES: Final = 512  # MAX_BPF_STACK, of which htab_map_alloc_check of 5.10 asks
_NO_LIMIT_BYTES: Final = 32 << 10  # no other limit of keys is below
# What kernels after 5.10 take at least: BPF_LOCAL_STORAGE_MAX_VALUE_SIZE, PCPU_MIN_UNIT_SIZE.
_MOST_CGROUP_BYTES: Final[dict[int, int]] = {
    M.CGROUP_STORAGE: (64 << 10) - 768,
    M.PERCPU_CGROUP_STORAGE: _MOST_PER_CPU_BYTES,
}
_INDEX_BYTES: Final = 4
_FLAG_BITS: Final = 32


@plain
class Violation:
    """A rule that a request breaks, and the fields to change so that it keeps it."""

    cause: Explanation
    changes: Fields


def violations(fields: Fields, page_bytes: int) -> Iterator[Violation]:
    """Yield the rules that a request breaks, those that are certain and frequent first."""
    yield from _entries(fields, page_bytes)
    yield from _key(fields)
    yield from _value(fields, page_bytes)
    yield from _flags(fields)


def _entries(fields: Fields, page_bytes: int) -> Iterator[Violation]:
    kind, entries = fields["map_type"], fields["max_entries"]
    if kind in _SIZELESS:
        if entries:
            words = f"max_entries is {entries}; it lives with its owners and has no size"
            cause = Explanation(NOT_ZERO, words, remedy="leave max_entries out")
            yield Violation(cause, {"max_entries": 0})
    elif kind in RINGS:
        fixed = ring_bytes(entries, page_bytes)
        if fixed != entries:
            words = f"max_entries is {entries}; the size of a ring buffer in bytes is a power of"
            words += f" two of whole pages of {page_bytes} bytes"
            cause = Explanation(RING, words, remedy=f"set max_entries to {fixed}")
            yield Violation(cause, {"max_entries": fixed})
    elif not entries:
        words = "max_entries is 0: the size is not set"
        cause = Explanation(ZERO, words, remedy="set max_entries to the most entries it may have")
        yield Violation(cause, {"max_entries": 1})


def _key(fields: Fields) -> Iterator[Violation]:
    kind, size = fields["map_type"], fields["key_size"]
    if kind in _HASHES and _MOST_OLD_KEY_BYTES < size <= _NO_LIMIT_BYTES:
        words = f"key_size is {size}; this kernel takes keys of up to {_MOST_OLD_KEY_BYTES} bytes"
        cause = Explanation(KEY, words, remedy="choose another key")
        yield Violation(cause, {"key_size": _MOST_OLD_KEY_BYTES})
    if kind in _KEYLESS:
        wanted, why = range(1), "it has no keys"
    elif kind in INDEXED | STORAGE:
        what = "the index" if kind in INDEXED else "the descriptor of the owner"
        wanted, why = range(_INDEX_BYTES, _INDEX_BYTES + 1), f"the key is {what}, of 4 bytes"
    elif kind == M.LPM_TRIE:
        wanted, why = _LPM_KEY, "the key is a prefix length of 4 bytes and 1 to 256 bytes of data"
    else:
        wanted, why = range(1, _MOST_BYTES), "a key has 1 byte up to nearly 4 MiB"
    if size not in wanted:
        fixed = wanted[0] if len(wanted) == 1 else 8
        remedy = f"set key_size to {fixed}" if len(wanted) == 1 else "choose another key"
        words = f"key_size is {size}; {why}"
        yield Violation(Explanation(KEY, words, remedy=remedy), {"key_size": fixed})


def _value(fields: Fields, page_bytes: int) -> Iterator[Violation]:
    kind, size = fields["map_type"], fields["value_size"]
    wanted: tuple[int, ...]
    forced = True
    if kind in _VALUELESS:
        wanted, why = (0,), "it has no values"
    elif kind in _OF_DESCRIPTORS:
        wanted, why = (4,), "the value is a descriptor, of 4 bytes"
    elif kind in _PACKED:
        wanted, why = (4, 8), "the value has 4 or 8 bytes"
    elif kind == M.STACK_TRACE and size % 8:
        wanted, why = (-size % 8 + size,), "the value is a list of addresses of 8 bytes"
    elif not size:
        wanted, why, forced = (8,), "a value has 1 byte at least", False
    elif kind in _PER_CPU and size > _MOST_PER_CPU_BYTES:
        wanted, forced = (8,), False
        why = f"a value for each CPU has up to {_MOST_PER_CPU_BYTES} bytes"
    elif kind in _MOST_CGROUP_BYTES and page_bytes < size <= _MOST_CGROUP_BYTES[kind]:
        wanted, forced = (page_bytes,), False  # cgroup_storage_map_alloc of Linux 5.10
        why = f"this kernel takes up to {page_bytes} bytes for a cgroup"
    elif size + fields["key_size"] >= _MOST_BYTES // 2:
        wanted, why, forced = (8,), "so large a value is refused", False
    else:
        return
    if size not in wanted:
        remedy = f"set value_size to {wanted[0]}" if forced else "choose another value"
        cause = Explanation(VALUE, f"value_size is {size}; {why}", remedy=remedy)
        yield Violation(cause, {"value_size": wanted[0]})


def _flags(fields: Fields) -> Iterator[Violation]:
    kind, flags = fields["map_type"], fields["map_flags"]
    if kind in _PREALLOC_NEVER and not flags & MapFlags.NO_PREALLOC:
        words = "it takes memory as it grows, and the flag that says so is missing"
        remedy = "add BPF_F_NO_PREALLOC: __uint(map_flags, BPF_F_NO_PREALLOC)"
        cause = Explanation(NO_PREALLOC, words, remedy=remedy)
        yield Violation(cause, {"map_flags": flags | MapFlags.NO_PREALLOC})
    if kind == M.ARENA and not flags & MapFlags.MMAPABLE:
        words = "an arena is memory to be mapped, and the flag that says so is missing"
        remedy = "add BPF_F_MMAPABLE: __uint(map_flags, BPF_F_MMAPABLE)"
        cause = Explanation(MMAPABLE, words, remedy=remedy)
        yield Violation(cause, {"map_flags": flags | MapFlags.MMAPABLE})
    if flags & MapFlags.NUMA_NODE and fields["numa_node"] not in online_nodes():
        words = f"there is no NUMA node {fields['numa_node']} that is online"
        remedy = "leave numa_node out, or name a node that is online"
        changes = {"map_flags": flags & ~MapFlags.NUMA_NODE, "numa_node": 0}
        yield Violation(Explanation(NUMA, words, remedy=remedy), changes)
    if fields["map_extra"]:
        words = f"map_extra is {fields['map_extra']}, which is refused"
        yield Violation(Explanation(EXTRA, words, remedy="leave map_extra out"), {"map_extra": 0})
    for flag in (1 << bit for bit in range(_FLAG_BITS)):
        if flags & flag:
            words = f"the flag {_flag_name(flag)} is refused"
            remedy = "leave the flag out, or take a type or a kernel that has it"
            cause = Explanation(FLAG, words, remedy=remedy)
            yield Violation(cause, {"map_flags": flags & ~flag})


def _flag_name(flag: int) -> str:
    name = MapFlags(flag).name
    return f"BPF_F_{name}" if name else hex(flag)


def ring_bytes(size: int, page_bytes: int) -> int:
    """Return the next size that a ring buffer can have."""
    pages = max(-(-size // page_bytes), 1)
    return page_bytes << (pages - 1).bit_length()
