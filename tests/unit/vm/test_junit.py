"""Results of pytest: read, and what ran on no kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.vm.junit import Report, ran_nowhere, read

if TYPE_CHECKING:
    from pathlib import Path

XML = """<testsuites><testsuite>
<testcase classname="t" name="good" time="1.5"/>
<testcase classname="t" name="bad"><failure message="no"/></testcase>
<testcase classname="t" name="broken"><error message="no"/></testcase>
<testcase classname="t" name="not here"><skipped message="needs Linux 6.6: tcx"/></testcase>
<testcase classname="t" name="left open"/>
<testcase classname="t" name="left open"><error message="teardown"/></testcase>
</testsuite></testsuites>"""


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(XML)
    assert read(path) == Report(
        frozenset({"t::good"}),
        frozenset({"t::bad", "t::broken", "t::left open"}),
        {"t::not here": "needs Linux 6.6: tcx"},
        {"t::good": 1.5, "t::bad": 0, "t::broken": 0, "t::not here": 0, "t::left open": 0},
    )


def test_only() -> None:
    report = Report(frozenset("ab"), frozenset("cd"), {"e": "x", "f": "y"}, {"a": 1, "f": 2})
    wanted = report.only(lambda name: name in "ace")
    assert wanted == Report(frozenset("a"), frozenset("c"), {"e": "x"}, {"a": 1})
    assert (wanted.seconds, report.seconds) == (1, 3)


@pytest.mark.parametrize("text", [None, "", "<testsuites><testcase"], ids=["none", "empty", "torn"])
def test_unreadable(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "junit.xml"
    if text is not None:
        path.write_text(text)
    assert read(path) is None


def test_ran_nowhere() -> None:
    old = Report(frozenset({"a"}), frozenset(), {"b": "old", "c": "old", "d": "old"})
    new = Report(frozenset({"b"}), frozenset({"c"}), {"d": "never"})
    assert ran_nowhere([old, new]) == ["d"]
