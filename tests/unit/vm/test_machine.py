"""What is started again and what is not; no machine is."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from tests.vm import machine
from tests.vm.machine import BEGINS, DIED, STARTS, TIMED_OUT, Ended, Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = Ended(0)
DEAD, HUNG = Ended(DIED, "it died"), Ended(TIMED_OUT, "it hung")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "results").mkdir()
    return Job("6.1", "true", tmp_path / "results", 50.0)


def begin(job: Job) -> None:
    (job.results / "console.log").write_text(f"Linux\n{BEGINS}\n")


@pytest.mark.parametrize(
    ("ends", "began", "expected", "starts"),
    [
        pytest.param([GOOD], True, GOOD, 1, id="good"),
        pytest.param([Ended(1)], True, Ended(1), 1, id="tests fail"),
        pytest.param([DEAD, HUNG, GOOD], False, GOOD, 3, id="dies and hangs at boot"),
        pytest.param([DEAD] * STARTS, False, DEAD, STARTS, id="never boots"),
        pytest.param([DEAD, GOOD], True, DEAD, 1, id="dies within the tests"),
        pytest.param([HUNG, GOOD], True, HUNG, 1, id="hangs within the tests"),
    ],
)
def test_starts(
    ends: list[Ended],
    began: bool,
    expected: Ended,
    starts: int,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = list(ends)
    monkeypatch.setattr(machine, "_once", lambda *_: left.pop(0))
    if began:
        begin(job)
    assert machine.run(job, io.BytesIO()) == expected
    assert len(ends) - len(left) == starts


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    """Return both ends of what stands for a machine's serial line."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(writing)


@pytest.mark.parametrize(
    ("began", "limit_s", "complaint"),
    [
        pytest.param(False, 50.0, "the command did not begin within 0 seconds", id="boot"),
        pytest.param(True, 0.0, "not done after 0 seconds", id="command"),
    ],
)
def test_what_takes_too_long(
    began: bool,
    limit_s: float,
    complaint: str,
    job: Job,
    line: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "BOOT_S", 0)
    if began:
        begin(job)
    with os.fdopen(line[0], "rb") as source:
        slow = Job("6.1", "sleep", job.results, limit_s)
        assert machine._stream(source, io.BytesIO(), slow) == complaint


def test_output_is_passed_on(job: Job) -> None:
    sink = io.BytesIO()
    reading, writing = os.pipe()
    os.write(writing, b"one\r\ntwo\xff")
    os.close(writing)
    with os.fdopen(reading, "rb") as source:
        assert machine._stream(source, sink, job) == ""
    assert sink.getvalue() == b"one\r\ntwo\xff"
