"""The table over all kernels, and what makes a run of them a failure."""

from __future__ import annotations

import pytest

from tests.vm import summary
from tests.vm.junit import Report
from tests.vm.machine import Ended
from tests.vm.matrix import Row

OLD = Report(frozenset({"a", "b"}), frozenset({"c"}), {"d": "old", "e": "old"})
NEW = Report(frozenset({"a", "b", "c", "d"}), frozenset(), {"e": "denied"})
ALL = Report(frozenset("abcde"), frozenset(), {})


def test_table() -> None:
    rows = [
        Row("6.1", Ended(1, seconds=61.2), OLD),
        Row("6.12", Ended(0, seconds=55), NEW),
        Row("7.3", Ended(125), None),
        Row("8.0", None, None, "no such kernel"),
    ]
    assert summary.table(rows).splitlines() == [
        "kernel        passed  failed  skipped  seconds",
        "6.1                2       1        2       61",
        "6.12               4       0        1       55",
        "7.3                -       -        -        0  status 125",
        "8.0                -       -        -",
        "total              6       1        3",
        "",
        "skipped          6.1        6.12  because",
        "                               1  denied",
        "                   2              old",
        "failed on 6.1: c",
    ]


def test_rows_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.release", lambda: "6.18.5-x")
    report = Report(
        frozenset({"tests.kernel.test_a::one", "tests.unit.test_b::two"}),
        frozenset({"tests.unit.test_b::three"}),
        {"tests.kernel.test_a::four": "denied"},
        {"tests.kernel.test_a::one": 2.0, "tests.unit.test_b::two": 0.5},
    )
    here, others = summary.host_rows(report)
    assert (here.name, here.ended) == ("6.18 here", Ended(0, seconds=2.0))
    assert here.report is not None
    assert here.report.passed == {"tests.kernel.test_a::one"}
    assert here.report.skipped == {"tests.kernel.test_a::four": "denied"}
    assert (others.name, others.ended) == ("other tests", Ended(1, seconds=0.5))
    assert others.report is not None
    assert others.report.failed == {"tests.unit.test_b::three"}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (Row("6.1", Ended(0, seconds=59.6), ALL), "== Linux 6.1: status 0 after 60 seconds"),
        (Row("6.1", None, None, "no qemu"), "== Linux 6.1: not run\nno qemu"),
    ],
    ids=["run", "not run"],
)
def test_news(row: Row, text: str) -> None:
    assert summary.news(row) == text


GOOD = Row("6.1", Ended(0), ALL)
GONE = Row("7.3", None, None, "no such kernel")


@pytest.mark.parametrize(
    ("rows", "strict", "wrong"),
    [
        pytest.param([GOOD], True, [], id="good"),
        pytest.param([GOOD, Row("7.3", Ended(3), ALL)], False, ["7.3: status 3"], id="failed"),
        pytest.param([GOOD, GONE], True, ["Linux 7.3 was not tested"], id="not had, in CI"),
        pytest.param([GOOD, GONE], False, [], id="not had, elsewhere"),
        pytest.param([GOOD, Row("7.3", Ended(0), None)], True, ["7.3: no results"], id="no file"),
        pytest.param(
            [Row("6.1", Ended(0), NEW)], True, ["ran on no kernel: e"], id="skipped everywhere"
        ),
        pytest.param([Row("6.1", Ended(0), NEW), GONE], False, [], id="perhaps it ran there"),
    ],
)
def test_complaints(rows: list[Row], strict: bool, wrong: list[str]) -> None:
    assert summary.complaints(rows, all_must_run=True, strict=strict) == wrong


def test_only_some_tests_may_be_asked_for() -> None:
    rows = [Row("6.1", Ended(0), NEW), Row("7.3", Ended(0), None)]
    assert summary.complaints(rows, all_must_run=False, strict=True) == []
