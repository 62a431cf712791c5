"""Paired runs of commands: what we measure is ratios within one run, never a time by itself."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: wall-clock and processor seconds, and peak memory of the process."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """The runs of one command."""

    name: str
    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """The median wall-clock time."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        """The median processor time: less moved by what else runs on the machine."""
        return statistics.median(run.cpu_seconds for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        """The largest peak."""
        return max(run.peak_bytes for run in self.runs)


# Runs in a small interpreter of its own: a child's peak begins with that of who starts it
# (exec_mmap() in fs/exec.c keeps the larger of both), and ours is not small.
LAUNCHER = """
import os, sys, time
output, *command = sys.argv[1:]
opened = (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
started = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=[opened])
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
print(os.waitstatus_to_exitcode(status), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def measure(command: Sequence[str], output: str = os.devnull) -> Run:
    """Run a command once, with standard output to a file.

    Raises: RuntimeError when it ends with another status than 0.
    """
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, output, *command]
    done = subprocess.run(launcher, check=True, stdout=subprocess.PIPE, text=True)
    status, seconds, cpu_seconds, peak_kib = done.stdout.split()
    if status != "0":
        raise RuntimeError(f"{' '.join(command)} ended with status {status}")
    return Run(float(seconds), float(cpu_seconds), int(peak_kib) * 1024)


def compare(
    commands: Mapping[str, Sequence[str]], rounds: int, output: str = os.devnull
) -> dict[str, Result]:
    """Run commands in turn, so that all meet the same load; the first turn is not measured."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            run = measure(command, output)
            if turn or rounds == 1:
                runs[name].append(run)
    return {name: Result(name, tuple(found)) for name, found in runs.items()}


def report(title: str, result: Result, base: Result, aim: float | None = None) -> str:
    """Word one comparison in a line."""
    ratio = result.seconds / base.seconds
    words = [
        f"{title:<28}",
        f"{result.name} {result.seconds:7.3f} s",
        f"{base.name} {base.seconds:7.3f} s",
        f"ratio {ratio:5.2f}" + (f" (aim {aim:g})" if aim else ""),
        f"cpu ratio {result.cpu_seconds / base.cpu_seconds:5.2f}",
        f"peak {result.peak_bytes / 1e6:.0f} MB against {base.peak_bytes / 1e6:.0f} MB",
    ]
    return "  ".join(words)


def scratch_file(name: str) -> Path:
    """Return a path in memory-backed storage where there is some: disks must not be measured."""
    shm = Path("/dev/shm")
    return (shm if shm.is_dir() else Path("/var/tmp")) / f"bpfctl-bench-{os.getpid()}-{name}"
