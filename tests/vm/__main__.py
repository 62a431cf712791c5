"""The command line: `python -m tests.vm --help`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.vm import junit, kvm, machine, matrix, newest_bpftool, summary
from tests.vm.cache import cache
from tests.vm.errors import VmError
from tests.vm.kernels import NAMES, SERIES, cached, kernel
from tests.vm.machine import DIED, Job
from tests.vm.project import shell_text
from tests.vm.rootfs import root

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT_S = 1200
TEST_LIMIT_S = 300  # an emulated machine whose host has much else to do is slow
IN_CI = os.environ.get("CI") == "true"  # where a kernel that cannot be had is a failure
JUNIT = f"--junitxml=/run/outcome/results/{matrix.REPORT}"
PYTEST = ("pytest", "-q", "tests/kernel")
EPILOG = """
examples:
  python -m tests.vm run --kernel 6.12 -- pytest tests/kernel -k core
  python -m tests.vm run --kernel 5.10 -- 'bpfctl -j feature probe > $RESULTS/probe.json'
  python -m tests.vm shell --kernel 7.3
  python -m tests.vm matrix -- pytest tests/kernel

A single word is shell text. Exit status: the command's own; 124 when the time was over; 125 when
there was no machine, or it ended without the command's status.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m tests.vm",
        description="Run commands with the project's code on other kernels, in QEMU.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the kernels, and what the cache has")
    fetch = verbs.add_parser("fetch", help="fetch the newest kernels and build the root")
    fetch.add_argument("--kernel", choices=NAMES, action="append")
    shell = verbs.add_parser("shell", help="a shell in a machine; exit ends it")
    shell.add_argument("--kernel", choices=NAMES, required=True)
    run = verbs.add_parser("run", help="run a command on one kernel")
    run.add_argument("--kernel", choices=NAMES, required=True)
    run.add_argument("--drive", type=Path, metavar="DIR", help="the machine has it at /run/drive")
    several = verbs.add_parser("matrix", help="run a command on all kernels, and compare")
    several.add_argument("--kernel", choices=NAMES, action="append")
    several.add_argument(
        "--here", type=Path, metavar="JUNIT", help="the results of this machine, for the table"
    )
    several.add_argument(
        "--all-must-run", action="store_true", help="fail when a test ran on no kernel"
    )
    for verb in (run, several):
        verb.add_argument("--limit", type=float, default=LIMIT_S, metavar="SECONDS")
        verb.add_argument("--results", type=Path, metavar="DIR", help="where results go")
        verb.add_argument("command", nargs="*", default=PYTEST)
    return top


def main(words: Sequence[str]) -> int:
    """Run a command line and return the exit status."""
    asked = parser().parse_args(words)
    verbs = {"list": _list, "fetch": _fetch, "shell": _shell, "run": _run, "matrix": _matrix}
    try:
        return verbs[asked.verb](asked)
    except VmError as err:
        print(f"tests.vm: {err}", file=sys.stderr)
        return DIED
    except KeyboardInterrupt:
        return 130


def _list(asked: argparse.Namespace) -> int:
    for series in SERIES:
        known = cached(series.name)
        print(f"{series.name:6}{series.suite:20}{known.release if known else 'not fetched'}")
    print(f"cache {cache()}, {'KVM' if kvm.works() else 'no KVM: emulation'}")
    return 0


def _fetch(asked: argparse.Namespace) -> int:
    for name in asked.kernel or NAMES:
        print(f"Linux {name}: {kernel(name, ask=True).release}")
    print(f"root: {root().image}")
    print(f"bpftool: {newest_bpftool.fetched()}")
    return 0


def _shell(asked: argparse.Namespace) -> int:
    size = shutil.get_terminal_size()
    command = f"stty sane rows {size.lines} cols {size.columns}; exec bash -i"
    return _report(machine.run(Job(asked.kernel, command, _place(asked) / asked.kernel), None))


def _run(asked: argparse.Namespace) -> int:
    place = asked.results or _place(asked) / asked.kernel
    colour = "auto" if sys.stdout.isatty() else "no"
    words = shell_text(asked.command)
    job = Job(asked.kernel, words, place, asked.limit, _settings(colour), asked.drive)
    return _report(machine.run(job, machine.to_terminal()))


def _settings(colour: str) -> dict[str, str]:
    """Return what the command is told: pytest's results are collected, whoever starts it."""
    return {"PYTEST_ADDOPTS": f"--color={colour} --timeout={TEST_LIMIT_S} {JUNIT}"}


def _report(ended: machine.Ended) -> int:
    if ended.complaint:
        print(f"tests.vm: {ended.complaint}", file=sys.stderr)
    return ended.status


def _matrix(asked: argparse.Namespace) -> int:
    place = asked.results or _place(asked)
    job = Job("", shell_text(asked.command), place, asked.limit, _settings("no"))
    rows = _rows_of_this_machine(asked.here) if asked.here else []
    for row in matrix.run(job, asked.kernel or NAMES):
        print(summary.news(row), flush=True)
        rows.append(row)
    print(summary.table(rows))
    wrong = summary.complaints(rows, all_must_run=asked.all_must_run, strict=IN_CI)
    for complaint in wrong:
        print(f"tests.vm: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


def _rows_of_this_machine(results: Path) -> list[matrix.Row]:
    report = junit.read(results)
    if report is None:
        raise VmError(f"{results} holds no results of this machine")
    return summary.host_rows(report)


def _place(asked: argparse.Namespace) -> Path:
    return cache() / "results"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
