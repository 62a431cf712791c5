"""What is attached to cgroups."""

from __future__ import annotations

import os
from array import array

from bpfctl.errors import BpfctlError
from bpfctl.kernel.attr_link import prog_query
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.flags import AttachFlags
from bpfctl.linux.cgroups import cgroup2_mounts
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

MOST_PROGRAMS: Final = 64  # BPF_CGROUP_MAX_PROGS, include/linux/bpf-cgroup-defs.h


@plain
class Attached:
    """The programs of one attach type in one cgroup, without those it inherits.

    `path` is within the hierarchy ("/" is the root). `flags` say what the first one allowed.
    """

    path: str
    flags: int
    prog_ids: tuple[int, ...]

    @property
    def is_closed(self) -> bool:
        """Whether it admits no further program, here or below."""
        open_flags = AttachFlags.ALLOW_MULTI | AttachFlags.ALLOW_OVERRIDE
        return bool(self.prog_ids) and not self.flags & open_flags

    @property
    def is_alone(self) -> bool:
        """Whether it admits no further program here; below may be another matter."""
        return bool(self.prog_ids) and not self.flags & AttachFlags.ALLOW_MULTI


def attached(path: str, attach_type: int) -> Attached:
    """Return what a cgroup runs itself. Raises: OSError, SyscallError.

    Source: BPF_PROG_QUERY, cgroup_bpf_query() in kernel/bpf/cgroup.c (Linux 4.15).
    """
    room = bytearray(4 * MOST_PROGRAMS)
    with Fd(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as group:
        query = prog_query(attach_type=attach_type, target_fd=group, prog_ids=room)
        bpf(query)
    numbers: array[int] = array("I")
    numbers.frombytes(bytes(room))
    return Attached(path_within(path), query.attach_flags, tuple(numbers[: query.count]))


def levels(path: str, attach_type: int) -> Iterator[tuple[str, Attached | None]]:
    """Yield a cgroup and each of its ancestors up to the root, and what they run.

    Paths are within the hierarchy; None stands for those that cannot be asked.
    """
    path = os.path.realpath(path)
    roots = cgroup2_mounts()
    while inside := path_within(path, roots):
        yield inside, _try_attached(path, attach_type)
        if path in roots:
            return
        path = os.path.dirname(path)


def _try_attached(path: str, attach_type: int) -> Attached | None:
    try:
        return attached(path, attach_type)
    except (OSError, BpfctlError):
        return None


def forbidding(way: Iterable[tuple[str, Attached | None]]) -> Attached | None:
    """Return who keeps a link from being made in a cgroup: itself, an ancestor, or None.

    `way` is what `levels` gives for it. The nearest one with a program decides: one that shares
    (`multi`) lets all below it share, one that may be overridden lets those below it, and a single
    one lets nobody (hierarchy_allows_attach, kernel/bpf/cgroup.c, Linux 4.15).
    """
    for at, (_, level) in enumerate(way):
        if level and level.prog_ids:
            return level if level.is_closed or (not at and level.is_alone) else None
    return None


def path_within(path: str, roots: list[str] | None = None) -> str:
    """Return a path without symbolic links within its hierarchy; "" for one outside of all."""
    for root in cgroup2_mounts() if roots is None else roots:
        if path == root:
            return "/"
        if path.startswith(f"{root}/"):
            return path[len(root) :]
    return ""
