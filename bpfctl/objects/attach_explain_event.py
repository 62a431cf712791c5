"""Why a perf event or a place of a file was refused. Only imported when that happens."""

from __future__ import annotations

import errno
import os

from bpfctl.errors import BpfctlError, NotFoundError, PathError, UsageError
from bpfctl.linux.cpus import online_cpu_numbers
from bpfctl.linux.sysctl import read_sysctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.errors import SyscallError
    from bpfctl.objects.attach_probe_targets import PerfEvent

_MOST_SAMPLES: Final = "kernel/perf_event_max_sample_rate"


def explain_counter(err: SyscallError, target: PerfEvent) -> BpfctlError:
    """Return the error to raise: no such CPU, more samples than the kernel takes, no counter.

    Source: perf_event_open, kernel/events/core.c, Linux 2.6.32: EINVAL for a frequency above
    the sysctl, and for a CPU number that the kernel has no room for; ENODEV for a CPU that is off.
    """
    if err.errno in (errno.ENOENT, errno.EOPNOTSUPP):
        err.candidates.append(f"this machine does not count {target.name}")
    if err.errno not in (errno.ENODEV, errno.EINVAL):
        return err
    return _no_cpu(target) or _too_often(target) or err


def _no_cpu(target: PerfEvent) -> NotFoundError | None:
    try:
        running = online_cpu_numbers()
    except BpfctlError:  # what cannot be looked at confirms nothing
        return None
    if target.cpu is None or target.cpu in running:
        return None
    return NotFoundError(
        f"CPU {target.cpu} does not run here",
        code="no-such-cpu",
        evidence=[f"CPUs that run: {', '.join(map(str, running))}"],
    )


def _too_often(target: PerfEvent) -> UsageError | None:
    most = read_sysctl(_MOST_SAMPLES)
    if most is None or target.freq <= most:
        return None
    return UsageError(
        f"{target.freq} samples a second are more than the kernel takes: {most}",
        code="sample-rate",
        evidence=[f"{_MOST_SAMPLES} of /proc/sys says {most}"],
        remedy=f"freq {most}, or less",
    )


def behind_end(err: SyscallError, path: str, offsets: Iterable[int]) -> BpfctlError | None:
    """Return the error to raise where a place lies behind the end of its file, or that is none.

    Source: uprobe_register, kernel/events/uprobes.c, Linux 3.5: EINVAL, and bpf_uprobe_multi_link_
    attach, kernel/trace/bpf_trace.c, Linux 6.6: EBADF for what is no regular file.
    """
    if err.errno not in (errno.EINVAL, errno.EBADF):
        return None
    if not os.path.isfile(path):
        return PathError("this is no file with code", subject=path)
    last = max(offsets, default=0)
    return outside(path, last) if last > os.stat(path).st_size else None


def outside(path: str, offset: int) -> UsageError:
    """The error for a place that no file of that size has."""
    size = os.stat(path).st_size
    return UsageError(
        f"{path}+{offset:#x} is behind the end of the file, which has {size:#x} bytes",
        code="place-outside",
    )
