"""Does the kernel count maps against RLIMIT_MEMLOCK? Asked of the kernel, not of its version."""

from __future__ import annotations

import errno
import resource

from bpfctl.kernel.attr import map_create
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import MapType

_BIG_ENTRIES = 4096  # of 8 bytes and more: no kernel counts that as nothing


def memlock_counts() -> bool | None:
    """Make a map while this process may lock no memory; None where none can be made anyway.

    Linux before 5.11 answers EPERM then ("bpf: Eliminate rlimit-based memory accounting"). The
    soft limit is put back at once, which takes no rights.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, hard))
    try:
        refused = _make_map()
    finally:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))
    if refused == 0:
        return False
    if refused != errno.EPERM:
        return None
    # Only what works with the limit raised was refused for the limit.
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
    try:
        return True if _make_map() == 0 else None
    finally:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, hard))


def _make_map() -> int:
    """Create a map and close it; return the errno, 0 when it was made."""
    result = try_bpf(
        map_create(map_type=MapType.ARRAY, key_size=4, value_size=8, max_entries=_BIG_ENTRIES)
    )
    if result >= 0:
        Fd(result).close()
    return max(-result, 0)
