"""One command on several kernels, and a table of what came of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.vm import junit, machine
from tests.vm.cache import SLOTS
from tests.vm.errors import VmError
from tests.vm.machine import DIED, Ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.vm.junit import Report
    from tests.vm.machine import Job

OUTPUT, REPORT = "output.txt", "junit.xml"
TAIL_LINES = 40


@dataclass(frozen=True)
class Row:
    """A kernel and what came of its run; no report when the command was no pytest, or died."""

    series: str
    ended: Ended
    report: Report | None


def run(job: Job, kernels: Iterable[str]) -> Iterator[Row]:
    """Run a job on several kernels, as many at once as there are places, and yield in order."""
    jobs = [replace(job, series=name, results=job.results / name) for name in kernels]
    with ThreadPoolExecutor(SLOTS) as pool:
        yield from pool.map(_row, jobs)


def _row(job: Job) -> Row:
    job.results.parent.mkdir(parents=True, exist_ok=True)
    output = job.results.parent / f"{job.series}.{OUTPUT}"
    with output.open("wb") as sink:
        try:
            ended = machine.run(job, sink)
        except VmError as err:
            ended = Ended(DIED, str(err))
    if ended.status != 0:
        lines = output.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        ended = replace(ended, complaint="\n".join([*lines, ended.complaint]).strip())
    return Row(job.series, ended, junit.read(job.results / REPORT))


def table(rows: list[Row]) -> str:
    """Return a table, kernel by (passed, failed, skipped), and the reasons of what was skipped."""
    lines = [f"{'kernel':8}{'status':>7}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    for row in rows:
        report = row.report
        counts = ["-"] * 3
        if report is not None:
            counts = [str(len(part)) for part in (report.passed, report.failed, report.skipped)]
        lines.append(
            f"{row.series:8}{row.ended.status:7}{counts[0]:>8}{counts[1]:>8}{counts[2]:>9}"
            f"{row.ended.seconds:9.0f}"
        )
    for row in rows:
        for reason, count in sorted(row.report.reasons.items() if row.report else ()):
            first = (reason.splitlines() or [""])[0]
            lines.append(f"{row.series:8}{count:4} skipped: {first}")
    return "\n".join(lines)
