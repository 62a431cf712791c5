"""A machine from start to power-off."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.vm import initramfs, outcome, project, qemu
from tests.vm.cache import slot
from tests.vm.kernels import kernel
from tests.vm.rootfs import root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, BinaryIO

TIMED_OUT, DIED = 124, 125
STARTS = 3
BEGINS = "tests.vm: the command begins"  # guest/boot says so on the console
TAIL_LINES = 30


@dataclass(frozen=True)
class Job:
    """A command for a kernel, and where its files go."""

    series: str
    command: str
    results: Path
    limit_s: float | None = None
    settings: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Ended:
    """How a job ended: the command's exit status, or ours and why."""

    status: int
    complaint: str = ""
    seconds: float = 0


def run(job: Job, sink: BinaryIO | None) -> Ended:
    """Run a job; the output goes to `sink`, or without one the terminal is the machine's.

    `results` is emptied first, and holds the console's text and all that the command wrote to
    $RESULTS. A machine that ends before the command begins is started again: a new emulated
    kernel may die at boot, and nothing was tested yet. Raises: VmError when none can be had.
    """
    with slot():
        for _ in range(STARTS - 1):
            ended = _once(job, sink)
            if ended.status != DIED or _began(job.results):
                return ended
            print(
                f"tests.vm: Linux {job.series} died at boot, starting it again: {ended.complaint}"
            )
        return _once(job, sink)


def _once(job: Job, sink: BinaryIO | None) -> Ended:
    shutil.rmtree(job.results, ignore_errors=True)
    job.results.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="bpfctl-vm-") as work:
        words = _prepare(job, Path(work))
        begin = time.monotonic()
        with (job.results / "qemu.log").open("wb") as log:
            in_time = _boot(words, log, sink, job.limit_s)
        seconds = time.monotonic() - begin
        if not in_time:
            complaint = f"not done after {job.limit_s:.0f} seconds"
            return Ended(TIMED_OUT, _with_console(complaint, job.results), seconds)
        status = outcome.read(Path(work) / "outcome", job.results)
    if status is None:
        complaint = "the machine ended without an exit status of the command"
        return Ended(DIED, _with_console(complaint, job.results), seconds)
    return Ended(status, seconds=seconds)


def _began(results: Path) -> bool:
    """Say whether the command began; this decides on another start only, never on a status."""
    console = results / "console.log"
    return console.exists() and BEGINS in console.read_text(errors="replace")


def _prepare(job: Job, work: Path) -> list[str]:
    """Make what is of this run only, and return the command line."""
    base, chosen = root(), kernel(job.series)
    early = work / "initramfs"
    early.write_bytes(initramfs.build(chosen, base.busybox))
    outcome.make_drive(work / "outcome")
    project.drive(work / "project", job.command, job.settings or {})
    disks = [
        qemu.Disk("root", base.image),
        qemu.Disk("modules", chosen.modules),
        qemu.Disk("project", work / "project"),
        qemu.Disk("outcome", work / "outcome", keeps=True),
    ]
    return qemu.command(chosen.image, early, disks, job.results / "console.log")


def _boot(words: list[str], log: BinaryIO, sink: BinaryIO | None, limit_s: float | None) -> bool:
    """Run QEMU to its end, and say whether it came to one in time."""
    if sink is None:
        return subprocess.run(words, stderr=log, check=False).returncode >= 0
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
    ) as process:
        assert process.stdout is not None
        try:
            return _stream(process.stdout, sink, limit_s)
        finally:
            process.kill()  # no harm to one that has ended


def _stream(source: IO[bytes], sink: BinaryIO, limit_s: float | None) -> bool:
    """Copy until the end of `source`; return False when the time is over before."""
    deadline = None if limit_s is None else time.monotonic() + limit_s
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if (left is not None and left <= 0) or not selector.select(left):
                return False
            data = os.read(source.fileno(), 65536)
            if not data:
                return True
            sink.write(data)
            sink.flush()


def _with_console(complaint: str, results: Path) -> str:
    """Add the end of what the kernel and QEMU said."""
    lines: list[str] = []
    for name in ("console.log", "qemu.log"):
        path = results / name
        if path.exists():
            lines += path.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([complaint, *lines])


def to_terminal() -> BinaryIO:
    """Return standard output, for bytes."""
    return sys.stdout.buffer
