"""What an iterator prints, to a terminal, a pipe and as JSON."""

from __future__ import annotations

import io

import pytest
from bpfctl.commands.context import Context
from bpfctl.commands.iter_output import write_output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("chunks", "shown"),
    [
        pytest.param([b"one\n", b"two\n"], "one\ntwo\n", id="lines"),
        pytest.param([b"caf\xc3", b"\xa9\n"], "café\n", id="a character in two chunks"),
        pytest.param([b"caf\xc3"], "caf\\xc3", id="half a character at the end"),
        pytest.param([b"\x1b[2J\xff\n"], "\\x1b[2J\\xff\n", id="what a terminal must not see"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_a_terminal_gets_clean_text(
    chunks: list[bytes], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    write_output(Context(), chunks)
    assert terminal.getvalue() == shown


def test_a_pipe_gets_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(pipe))
    write_output(Context(), [b"\x1b[2J", b"\xff\n"])
    assert pipe.getvalue() == b"\x1b[2J\xff\n"


def test_json_has_the_whole_text(capsys: pytest.CaptureFixture[str]) -> None:
    write_output(Context(json=True), [b"caf\xc3", b"\xa9\xff\n"])
    assert capsys.readouterr().out == '{"output":"caf\\u00e9\\udcff\\n"}\n'
