"""What came of the tests on all kernels: a table, what was skipped where and why, what failed."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from tests.vm.junit import Report, ran_nowhere
from tests.vm.machine import Ended
from tests.vm.matrix import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KERNEL_TESTS = "tests.kernel."
OTHERS = "other tests"


def host_rows(report: Report) -> list[Row]:
    """Split the results of this machine: its kernel's row, and the tests that no kernel changes."""
    series = ".".join(platform.release().split(".")[:2])
    of_kernel: dict[str, Callable[[str], bool]] = {
        f"{series} here": lambda name: name.startswith(KERNEL_TESTS),
        OTHERS: lambda name: not name.startswith(KERNEL_TESTS),
    }
    return [_row(name, report.only(wanted)) for name, wanted in of_kernel.items()]


def _row(name: str, report: Report) -> Row:
    return Row(name, Ended(1 if report.failed else 0, seconds=report.seconds), report)


def table(rows: list[Row]) -> str:
    """Return the table: kernel by (passed, failed, skipped, seconds), and totals."""
    lines = [f"{'kernel':12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    lines += [_line(row.name, _counts(row), row.ended) for row in rows]
    reports = [row.report for row in rows if row.report is not None]
    total = [sum(column) for column in zip(*(_numbers(one) for one in reports), strict=True)]
    lines.append(_line("total", [str(number) for number in total or [0] * 3], None))
    return "\n".join([*lines, *_reasons(rows), *_failures(rows)])


def news(row: Row) -> str:
    """Return what to say when the run on a kernel has ended."""
    how = "not run" if row.ended is None else f"status {row.ended.status}"
    time = f" after {row.ended.seconds:.0f} seconds" if row.ended else ""
    return f"== Linux {row.name}: {how}{time}\n{row.complaint}".rstrip()


def complaints(rows: list[Row], *, all_must_run: bool, strict: bool) -> list[str]:
    """Say why this is a failure; nothing where it is none.

    A kernel that cannot be had is one where we are `strict`; with `all_must_run` so is a test that
    ran nowhere, provided that all kernels were there.
    """
    wrong = [f"Linux {row.name} was not tested" for row in rows if row.ended is None and strict]
    wrong += [
        f"{row.name}: status {row.ended.status}" for row in rows if row.ended and row.ended.status
    ]
    reports = [row.report for row in rows if row.report is not None]
    if not all_must_run or (len(reports) < len(rows) and not strict):
        return wrong
    wrong += [f"{row.name}: no results" for row in rows if row.ended and row.report is None]
    return wrong + [f"ran on no kernel: {name}" for name in ran_nowhere(reports)]


def _line(name: str, counts: list[str], ended: Ended | None) -> str:
    seconds = f"{ended.seconds:9.0f}" if ended else ""
    ours = f"  status {ended.status}" if ended and ended.status not in (0, 1) else ""
    return f"{name:12}{counts[0]:>8}{counts[1]:>8}{counts[2]:>9}{seconds}{ours}"


def _counts(row: Row) -> list[str]:
    return ["-"] * 3 if row.report is None else [str(one) for one in _numbers(row.report)]


def _numbers(report: Report) -> tuple[int, int, int]:
    return len(report.passed), len(report.failed), len(report.skipped)


def _reasons(rows: list[Row]) -> Iterator[str]:
    """Say how many tests each kernel skipped for each reason."""
    known = [(row.name, row.report.reasons) for row in rows if row.report is not None]
    reasons = sorted({reason for _, counts in known for reason in counts})
    if reasons:
        yield "\nskipped " + "".join(f"{name:>12}" for name, _ in known) + "  because"
    for reason in reasons:
        counts = "".join(f"{counts[reason] or '':>12}" for _, counts in known)
        yield f"{'':8}{counts}  {(reason.splitlines() or [''])[0]}"


def _failures(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        for name in sorted(row.report.failed if row.report else ()):
            yield f"failed on {row.name}: {name}"
