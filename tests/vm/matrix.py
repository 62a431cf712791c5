"""One command on several kernels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.vm import junit, machine
from tests.vm.cache import SLOTS
from tests.vm.errors import VmError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.vm.junit import Report
    from tests.vm.machine import Ended, Job

SHARE = "BPFCTL_TEST_SHARE"  # read by tests/kernel/conftest.py
OUTPUT, REPORT = "output.txt", "junit.xml"
TAIL_LINES = 40


@dataclass(frozen=True)
class Row:
    """A kernel and what came of its run.

    `ended` is None when there was no machine to run it on, and `report` when the command was no
    pytest, or died. `name` is the series, or says whose tests these are.
    """

    name: str
    ended: Ended | None
    report: Report | None
    complaint: str = ""


def run(job: Job, kernels: Iterable[str]) -> Iterator[Row]:
    """Run a job on several kernels, as many at once as there are places, and yield in order.

    Each is told its share of the long tests, as all would take too long in emulated machines.
    """
    names = list(kernels)
    jobs = [
        replace(
            job, series=name, results=job.results / name, settings=_with_share(job, number, names)
        )
        for number, name in enumerate(names)
    ]
    with ThreadPoolExecutor(SLOTS) as pool:
        yield from pool.map(_row, jobs)


def _with_share(job: Job, number: int, names: list[str]) -> dict[str, str]:
    return {**(job.settings or {}), SHARE: f"{number}/{len(names)}"}


def _row(job: Job) -> Row:
    job.results.parent.mkdir(parents=True, exist_ok=True)
    output = job.results.parent / f"{job.series}.{OUTPUT}"
    with output.open("wb") as sink:
        try:
            ended = machine.run(job, sink)
        except VmError as err:
            return Row(job.series, None, None, str(err))
    complaint = ""
    if ended.status != 0:
        lines = output.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        complaint = "\n".join([*lines, ended.complaint]).strip()
    return Row(job.series, ended, junit.read(job.results / REPORT), complaint)
