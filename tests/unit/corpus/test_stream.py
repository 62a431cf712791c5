"""Verdicts that leave a machine as they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.corpus import judge, stream

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = {"object": "a/1.o", "n": 1}, {"object": "a/2.o", "n": 2}
SAID = b"".join(
    [
        b"starting\r\n",
        *(stream.BEGIN + name + b"\n" for name in (b"a/1.o", b"a/2.o", b"a/3.o")),
        *(stream.VERDICT + json.dumps(one).encode() + b"\r\n" for one in (SECOND, FIRST)),
        stream.VERDICT + b'{"object": "a/3.o", "torn',
    ]
)


@pytest.mark.parametrize("size", [1, 7, len(SAID)], ids=str)
def test_verdicts_are_kept_however_they_arrive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    heard = stream.Listener(tmp_path / "results")
    for begin in range(0, len(SAID), size):
        heard.write(SAID[begin : begin + size])
    assert judge.read(tmp_path / "results") == {"a/2.o": SECOND, "a/1.o": FIRST}
    assert heard.judged == {"a/1.o", "a/2.o"}
    assert heard.begun == {"a/3.o"}
    assert capsys.readouterr().err == "starting\n"


def test_the_last_verdict_of_an_object_counts(tmp_path: Path) -> None:
    later = {**FIRST, "n": 3}
    for verdict in (FIRST, SECOND, later):
        stream.add(tmp_path / "results", verdict)
    assert judge.read(tmp_path / "results") == {"a/1.o": later, "a/2.o": SECOND}


def test_what_is_said_is_heard(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    stream.say_begin("a/1.o")
    stream.say_begin("a/2.o")
    stream.say(FIRST)
    heard = stream.Listener(tmp_path / "results")
    heard.write(capfdbinary.readouterr().out)
    assert (heard.judged, heard.begun) == ({"a/1.o"}, {"a/2.o"})
    assert judge.read(tmp_path / "results") == {"a/1.o": FIRST}
