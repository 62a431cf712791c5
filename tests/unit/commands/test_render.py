"""One record list, every format."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from bpfctl.commands import render as render_module
from bpfctl.commands.context import Context
from bpfctl.commands.output import elements
from bpfctl.commands.render import Column, fitting, render, render_one, stream

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass(frozen=True)
class Thing:
    id: int
    name: str
    note: str | None = None

    def to_json(self) -> dict[str, object]:
        return {"id": self.id, "name": self.name}


THINGS = [Thing(7, "x"), Thing(120, "évil\x1b[2J\n", "long note")]
COLUMNS: list[Column[Thing]] = [
    Column("ID", lambda thing: thing.id, right=True),
    Column("NAME", lambda thing: thing.name),
    Column("NOTE", lambda thing: thing.note, priority=2),
    Column("TWICE", lambda thing: [thing.id, thing.id], priority=1, wide=True),
]
JSON = '[{"id":7,"name":"x"},{"id":120,"name":"\\u00e9vil\\u001b[2J\\n"}]\n'


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        pytest.param(
            Context(),
            "  ID  NAME             NOTE\n"
            "   7  x                -\n"
            " 120  évil\\x1b[2J\\x0a  long note\n",
            id="table",
        ),
        pytest.param(
            Context(wide=True),
            "  ID  NAME             NOTE       TWICE\n"
            "   7  x                -          7, 7\n"
            " 120  évil\\x1b[2J\\x0a  long note  120, 120\n",
            id="wide",
        ),
        pytest.param(Context(json=True), JSON, id="json"),
        pytest.param(
            Context(json=True, pretty=True),
            json.dumps([thing.to_json() for thing in THINGS], indent=4) + "\n",
            id="pretty",
        ),
        pytest.param(
            Context(json=True, json_lines=True),
            '{"id":7,"name":"x"}\n{"id":120,"name":"\\u00e9vil\\u001b[2J\\n"}\n',
            id="jsonl",
        ),
    ],
)
def test_render(out: Context, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    render(out, iter(THINGS), COLUMNS)
    assert capsys.readouterr() == (expected, "")


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        (Context(), ""),
        (Context(json=True), "[]\n"),
        (Context(json=True, pretty=True), "[]\n"),
        (Context(json=True, json_lines=True), ""),
    ],
)
def test_render_nothing(out: Context, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    render(out, [], COLUMNS)
    assert capsys.readouterr() == (expected, "")


def test_notes_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    render(Context(json=True), THINGS[:1], COLUMNS, notes=["holders: \x1bunknown"])
    assert capsys.readouterr() == ('[{"id":7,"name":"x"}]\n', "holders: \\x1bunknown\n")


def test_nothing_is_written_when_a_record_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def records() -> Generator[Thing, None, None]:
        yield THINGS[0]
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        render(Context(json=True), records(), COLUMNS)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        (Context(), "id    120\nname  évil\\x1b[2J\\x0a\n"),
        (Context(json=True), '{"id":120,"name":"\\u00e9vil\\u001b[2J\\n"}\n'),
        (Context(json=True, json_lines=True), '{"id":120,"name":"\\u00e9vil\\u001b[2J\\n"}\n'),
    ],
)
def test_render_one(out: Context, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    render_one(out, THINGS[1])
    assert capsys.readouterr().out == expected


def test_render_one_by_chosen_fields(capsys: pytest.CaptureFixture[str]) -> None:
    fields = [("loaded", True), ("gone", None), ("maps", [1, 2]), ("empty", []), ("off", False)]
    render_one(Context(), THINGS[0], fields, notes=["a note"])
    expected = "loaded  yes\nmaps    1, 2\nempty   -\noff     no\n"
    assert capsys.readouterr() == (expected, "a note\n")


class Batches:
    """A source of two batches that says whether it was closed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.closed, self.error = False, error

    def __call__(self) -> Generator[list[int], None, None]:
        try:
            yield [1, 2]
            if self.error:
                raise self.error
            yield [3]
        finally:
            self.closed = True


def lines(batch: list[int]) -> str:
    return "".join(f"{number}\n" for number in batch)


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        (Context(), "1\n2\n3\n"),
        (Context(json=True), "[1,2,3]\n"),
        (Context(json=True, pretty=True), "[\n    1,\n    2,\n    3\n]\n"),
        (Context(json=True, json_lines=True), "1\n2\n3\n"),
    ],
)
def test_stream(out: Context, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    stream(out, Batches()(), as_json=lambda batch: elements(out, batch), as_text=lines)
    assert capsys.readouterr().out == expected


def test_stream_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    out = Context(json=True)

    def empty() -> Generator[list[int], None, None]:
        yield from ()

    stream(out, empty(), as_json=lambda batch: elements(out, batch), as_text=lines)
    assert capsys.readouterr().out == "[]\n"


def test_a_failing_stream_closes_its_source_and_its_array(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, source = Context(json=True), Batches(ValueError("gone"))
    with pytest.raises(ValueError, match="gone"):
        stream(out, source(), as_json=lambda batch: elements(out, batch), as_text=lines)
    assert source.closed
    assert json.loads(capsys.readouterr().out) == [1, 2]


def test_a_stream_that_fails_at_once_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The error is the only document of such an output."""

    def failing() -> Generator[list[int], None, None]:
        raise ValueError("gone")
        yield []

    with pytest.raises(ValueError, match="gone"):
        stream(Context(json=True), failing(), as_json=str, as_text=lines)
    assert capsys.readouterr().out == ""


def test_a_stream_that_cannot_be_written_closes_its_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    source = Batches()
    monkeypatch.setattr("sys.stdout", Closed())
    with pytest.raises(BrokenPipeError):
        stream(Context(), source(), as_json=str, as_text=lines)
    assert source.closed


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        (None, [0, 1, 2, 3]),
        (100, [0, 1, 2, 3]),
        (28, [0, 1, 2, 3]),
        (27, [0, 1, 3]),
        (20, [0, 1]),
        (1, [0, 1]),
    ],
)
def test_fitting(limit: int | None, kept: list[int]) -> None:
    assert fitting(COLUMNS, [3, 10, 4, 5], limit) == kept


def test_a_narrow_terminal_loses_columns_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(render_module, "terminal_width", lambda: 24)
    render(Context(), THINGS, COLUMNS)
    text, note = capsys.readouterr()
    assert text.splitlines()[0] == "  ID  NAME"
    assert len(text.splitlines()) == 3
    assert note == "not shown here: NOTE (-o wide shows all)\n"
    render(Context(wide=True), THINGS, COLUMNS)
    assert "NOTE" in capsys.readouterr().out
