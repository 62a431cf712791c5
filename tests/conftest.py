"""What every test lives by: nothing leaks, and what was skipped is said aloud."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IN_CI = os.environ.get("CI") == "true"


def open_descriptors() -> dict[int, str]:
    """Return the descriptors of this process and what each refers to."""
    found: dict[int, str] = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[int(entry.name)] = str(entry.readlink())
        except FileNotFoundError:  # the descriptor that lists the directory
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fail a test that leaves a descriptor open or the environment changed."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    before = open_descriptors()
    yield
    leaked = _new_descriptors(before)
    if leaked:  # an object in a reference cycle is late, not lost
        gc.collect()
        leaked = _new_descriptors(before)
    assert not leaked, f"the test left descriptors open: {leaked}"
    after = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    assert after == environment, "the test left the environment changed"


def _new_descriptors(before: dict[int, str]) -> dict[int, str]:
    return {number: target for number, target in open_descriptors().items() if number not in before}


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Return a function that gives the path of a program the test runs.

    A missing one skips the test on a developer's machine and fails it in CI, where the test
    command has installed everything.
    """

    def find(name: str) -> str:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if path is None:
            message = f"{name} is not installed"
            if IN_CI:
                pytest.fail(message)
            pytest.skip(message)
        return path

    return find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests of the running kernel for those who may use it."""
    if os.geteuid() == 0:
        return
    for item in items:
        if "kernel" in item.path.relative_to(Path(__file__).parent).parts:
            item.add_marker(pytest.mark.skip(reason="needs root"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say what ran, by kind, and what was skipped and why."""
    del exitstatus, config
    ran: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            if report.when == "call":
                ran["/".join(Path(report.nodeid.split("::")[0]).parts[:2])] += 1
    skipped: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        skipped[reason.removeprefix("Skipped: ")] += 1
    terminalreporter.section("what ran")
    for folder, count in sorted(ran.items()):
        terminalreporter.write_line(f"{count:6} {folder}")
    terminalreporter.write_line(f"{sum(skipped.values()):6} skipped")
    for reason, count in sorted(skipped.items()):
        terminalreporter.write_line(f"       {count} x {reason}")
