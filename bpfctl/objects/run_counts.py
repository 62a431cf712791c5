"""How often a program runs, counted for a while."""

from __future__ import annotations

import time

from bpfctl.kernel.attr_object import enable_stats
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.info import prog_info
from bpfctl.kernel.uapi import StatsType
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd


@plain
class RunCounts:
    """What happened while runs were counted.

    `before` are the runs that were counted earlier, whenever somebody had statistics enabled: 0
    says nothing. `misses` are runs the kernel left out because the program was running already on
    that CPU; None where it does not tell (before Linux 5.12).
    """

    seconds: float
    runs: int
    before: int
    misses: int | None

    def to_json(self) -> dict[str, object]:
        """Return all fields."""
        return {
            "seconds": self.seconds,
            "runs": self.runs,
            "runs_before": self.before,
            "recursion_misses": self.misses,
        }


def count_runs(prog: Fd, seconds: float) -> RunCounts:
    """Have runs counted for some seconds. Other users of statistics are not disturbed.

    Raises: SyscallError (EPERM without CAP_SYS_ADMIN; EINVAL before Linux 5.8).
    Source: BPF_ENABLE_STATS, bpf_enable_runtime_stats() in kernel/bpf/syscall.c, Linux 5.8: runs
    count while such a descriptor is open.
    """
    with bpf_fd(enable_stats(StatsType.RUN_TIME)):
        first = prog_info(prog)
        time.sleep(seconds)
        last = prog_info(prog)
    before, misses = first.number("run_cnt") or 0, last.number("recursion_misses")
    return RunCounts(
        seconds,
        (last.number("run_cnt") or 0) - before,
        before,
        None if misses is None else misses - (first.number("recursion_misses") or 0),
    )
