"""Results of several kernels: counted, and what ran on none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.vm.junit import Report, ran_nowhere, read
from tests.vm.machine import Ended
from tests.vm.matrix import Row, table

if TYPE_CHECKING:
    from pathlib import Path

XML = """<testsuites><testsuite>
<testcase classname="t" name="good"/>
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
    )


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


def test_table() -> None:
    report = Report(frozenset({"a", "b"}), frozenset({"c"}), {"d": "old", "e": "old"})
    rows = [Row("6.1", Ended(1, "words", 61.2), report), Row("7.3", Ended(125), None)]
    assert table(rows).splitlines() == [
        "kernel   status  passed  failed  skipped  seconds",
        "6.1           1       2       1        2       61",
        "7.3         125       -       -        -        0",
        "6.1        2 skipped: old",
    ]
