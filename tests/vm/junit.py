"""What pytest wrote of a run: which tests passed, failed or were skipped, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Report:
    """The tests of a run by outcome; a skipped one has its reason. `took` has seconds."""

    passed: frozenset[str]
    failed: frozenset[str]
    skipped: dict[str, str]
    took: dict[str, float] = field(default_factory=dict)

    @property
    def reasons(self) -> Counter[str]:
        """How many tests were skipped for each reason."""
        return Counter(self.skipped.values())

    @property
    def seconds(self) -> float:
        """How long all took, the start of Python and the like left out."""
        return sum(self.took.values())

    def only(self, wanted: Callable[[str], bool]) -> Report:
        """Return the results of the tests with some names."""
        return Report(
            frozenset(filter(wanted, self.passed)),
            frozenset(filter(wanted, self.failed)),
            {name: reason for name, reason in self.skipped.items() if wanted(name)},
            {name: seconds for name, seconds in self.took.items() if wanted(name)},
        )


def read(path: Path) -> Report | None:
    """Read a JUnit file; None when there is none that can be read, as after a crash."""
    try:
        cases = list(ET.parse(path).getroot().iter("testcase"))
    except (FileNotFoundError, ET.ParseError):
        return None
    failed = {_name(case) for case in cases if _has(case, "failure") or _has(case, "error")}
    skipped = {
        _name(case): str(found.get("message"))
        for case in cases
        if (found := case.find("skipped")) is not None and _name(case) not in failed
    }
    passed = {_name(case) for case in cases} - failed - skipped.keys()
    took = {_name(case): float(case.get("time", 0)) for case in cases}
    return Report(frozenset(passed), frozenset(failed), skipped, took)


def ran_nowhere(reports: list[Report]) -> list[str]:
    """Return the tests that all runs skipped: nobody knows whether they can fail."""
    skipped = {name for report in reports for name in report.skipped}
    ran = {name for report in reports for name in report.passed | report.failed}
    return sorted(skipped - ran)


def _has(case: ET.Element, kind: str) -> bool:
    return case.find(kind) is not None


def _name(case: ET.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"
