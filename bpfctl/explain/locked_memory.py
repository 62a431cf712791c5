"""EPERM for the limit of locked memory, on kernels that count maps and programs against it."""

from __future__ import annotations

import errno
import resource

from bpfctl.explain.explanation import Explanation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.explain.failure import Failure


def exhausted(failure: Failure) -> Explanation | None:
    """Confirm that the kernel counts, and that the same map with one entry is made.

    Where it is a program that was refused, the smallest map of all stands for it: then the limit
    is only a candidate.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if failure.errno != errno.EPERM or limit == resource.RLIM_INFINITY:
        return None
    from bpfctl.features.memlock import memlock_counts

    if not memlock_counts():
        return None
    words = f"RLIMIT_MEMLOCK is {limit} bytes, and this kernel counts BPF objects against it"
    if failure.call != "BPF_MAP_CREATE" or not _small_one_is_made(failure):
        failure.evidence.append(words)
        failure.candidates.append("the limit of locked memory (check: ulimit -l unlimited)")
        return None
    return Explanation(
        "memlock-limit-reached",
        f"{failure.error.doing}: the limit of locked memory is reached",
        (words, "the same map with one entry is made", "bpfctl may not raise the limit itself"),
        "raise it (ulimit -l unlimited, LimitMEMLOCK=infinity of systemd), or run with"
        " CAP_SYS_RESOURCE",
    )


def _small_one_is_made(failure: Failure) -> bool:
    """Repeat the request for a map of one entry; what may refer to closed descriptors is left out.

    Its flags stay but for that of the NUMA node.
    """
    from bpfctl.kernel.attr import map_create
    from bpfctl.kernel.bpf import try_bpf
    from bpfctl.kernel.fd import Fd
    from bpfctl.kernel.flags import MapFlags

    result = try_bpf(
        map_create(
            map_type=failure.field("map_type"),
            key_size=failure.field("key_size"),
            value_size=failure.field("value_size"),
            max_entries=1,
            map_flags=failure.field("map_flags") & ~MapFlags.NUMA_NODE,
        )
    )
    if result < 0:
        return False
    Fd(result).close()
    return True
