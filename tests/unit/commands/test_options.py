"""Global options are found wherever getopt(3) would find them."""

from __future__ import annotations

import pytest
from bpfctl.commands.context import Context
from bpfctl.commands.options import OPTIONS, take_options


@pytest.mark.parametrize(
    ("words", "expected", "rest"),
    [
        pytest.param([], Context(), [], id="nothing"),
        pytest.param(["prog", "show"], Context(), ["prog", "show"], id="none"),
        pytest.param(["-j", "prog"], Context(json=True), ["prog"], id="before"),
        pytest.param(["prog", "-j", "show"], Context(json=True), ["prog", "show"], id="between"),
        pytest.param(["prog", "--json"], Context(json=True), ["prog"], id="after"),
        pytest.param(["-p"], Context(json=True, pretty=True), [], id="pretty implies JSON"),
        pytest.param(
            ["-dfnV"],
            Context(debug=True, bpffs=True, no_mount=True, version=True),
            [],
            id="letters together",
        ),
        pytest.param(["-jo", "wide", "x"], Context(json=True, wide=True), ["x"], id="-jo wide"),
        pytest.param(["-jowide", "x"], Context(json=True, wide=True), ["x"], id="-jowide"),
        pytest.param(["-o", "jsonl"], Context(json=True, json_lines=True), [], id="-o jsonl"),
        pytest.param(["--output=json"], Context(json=True), [], id="--output="),
        pytest.param(["--output", "table"], Context(), [], id="--output table"),
        pytest.param(["x", "--", "-j"], Context(), ["x", "--", "-j"], id="after two dashes"),
        pytest.param(["-x", "-jx", "-", "--js"], Context(), ["-x", "-jx", "-", "--js"], id="other"),
        pytest.param(["-xo", "wide"], Context(), ["-xo", "wide"], id="o behind another letter"),
    ],
)
def test_take_options(words: list[str], expected: Context, rest: list[str]) -> None:
    assert take_options(words) == (expected, rest, None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "xml"], '"xml" is no output format'),
        (["-oxml"], '"xml" is no output format'),
        (["--output="], "option -o needs an output format"),
        (["-o"], "option -o needs an output format"),
        (["-o", "a", "-o", "b"], '"a" is no output format'),
    ],
)
def test_wrong_formats(words: list[str], message: str) -> None:
    out, rest, wrong = take_options([*words, "-j"] if words != ["-o"] else ["-j", *words])
    assert wrong is not None
    assert (out, rest, wrong.message) == (Context(json=True), [], message)


def test_letters_and_names_are_unique() -> None:
    flags = [flag for option in OPTIONS for flag in option.flags]
    assert len(set(flags)) == len(flags)
