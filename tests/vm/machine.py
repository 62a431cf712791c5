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

from tests.vm import images, initramfs, outcome, project, qemu
from tests.vm.cache import slot
from tests.vm.kernels import kernel
from tests.vm.rootfs import root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, BinaryIO, Protocol

    class Sink(Protocol):
        """What takes the output of a machine's command as it comes."""

        def write(self, data: bytes, /) -> object: ...
        def flush(self) -> None: ...


TIMED_OUT, DIED = 124, 125
# An emulated kernel may die or hang at boot, which takes a few seconds where nobody disturbs it.
STARTS, BOOT_S = 5, 120
LOOK_S = 1.0
BEGINS = "tests.vm: the command begins"  # guest/boot says so on the console
TAIL_LINES = 30


@dataclass(frozen=True)
class Job:
    """A command for a kernel, and where its files go.

    The machine has what is in the directory `drive` at /run/drive, and may change its copy.
    """

    series: str
    command: str
    results: Path
    limit_s: float | None = None
    settings: Mapping[str, str] | None = None
    drive: Path | None = None


@dataclass(frozen=True)
class Ended:
    """How a job ended: the command's exit status, or ours and why."""

    status: int
    complaint: str = ""
    seconds: float = 0


def run(job: Job, sink: Sink | None) -> Ended:
    """Run a job; the output goes to `sink`, or without one the terminal is the machine's.

    `results` is emptied first, and holds the console's text and all that the command wrote to
    $RESULTS. A machine that ends or hangs before the command begins is started again, as nothing
    was tested yet. Raises: VmError when none can be had.
    """
    with slot():
        for _ in range(STARTS - 1):
            ended = _once(job, sink)
            if not ended.complaint or _began(job.results):
                return ended
            again = "did not boot, starting it again"
            print(f"tests.vm: Linux {job.series} {again}: {ended.complaint}", flush=True)
        return _once(job, sink)


def _once(job: Job, sink: Sink | None) -> Ended:
    shutil.rmtree(job.results, ignore_errors=True)
    job.results.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="bpfctl-vm-") as work:
        words = _prepare(job, Path(work))
        begin = time.monotonic()
        with (job.results / "qemu.log").open("wb") as log:
            complaint = _boot(words, log, sink, job)
        seconds = time.monotonic() - begin
        if complaint:
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
    if job.drive is not None:
        images.make(job.drive, work / "drive")
        disks.append(qemu.Disk("drive", work / "drive"))
    return qemu.command(chosen, early, disks, job.results / "console.log")


def _boot(words: list[str], log: BinaryIO, sink: Sink | None, job: Job) -> str:
    """Run QEMU to its end; say what took too long, nothing when it came to one in time."""
    if sink is None:
        subprocess.run(words, stderr=log, check=False)
        return ""
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
    ) as process:
        assert process.stdout is not None
        try:
            return _stream(process.stdout, sink, job)
        finally:
            process.kill()  # no harm to one that has ended


def _stream(source: IO[bytes], sink: Sink, job: Job) -> str:
    """Copy until the end of `source`, or until something took too long; say what."""
    begin, began = time.monotonic(), False
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while True:
            passed, began = time.monotonic() - begin, began or _began(job.results)
            if not began and passed > BOOT_S:
                return f"the command did not begin within {BOOT_S} seconds"
            if job.limit_s is not None and passed > job.limit_s:
                return f"not done after {job.limit_s:.0f} seconds"
            if not selector.select(LOOK_S):
                continue
            data = os.read(source.fileno(), 65536)
            if not data:
                return ""
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
