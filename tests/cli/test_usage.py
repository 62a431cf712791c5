"""Wrong command lines: the exact words, the JSON, the status."""

from __future__ import annotations

import pytest
from bpfctl.commands.nouns import NOUNS

from tests.cli.runner import in_process, run

ALL = ", ".join(noun.name for noun in NOUNS)

WRONG = [
    pytest.param(
        ["shwo"], f'bpfctl: unknown command "shwo"\n  remedy     one of {ALL}\n', id="noun"
    ),
    pytest.param(
        ["vresion"],
        f'bpfctl: unknown command "vresion"\n  remedy     did you mean "version"? all: {ALL}\n',
        id="noun-typo",
    ),
    pytest.param(
        ["vers"],
        f'bpfctl: unknown command "vers"\n  remedy     did you mean "version"? all: {ALL}\n',
        id="a prefix is no match",
    ),
    pytest.param(
        ["version", "--jsno"],
        'bpfctl: version: unknown option --jsno\n  remedy     did you mean "--json"?\n',
        id="option",
    ),
    pytest.param(
        ["--frobnicate", "version"],
        "bpfctl: unknown option --frobnicate\n  remedy     see bpfctl --help\n",
        id="option-before",
    ),
    pytest.param(
        ["prog", "load", "-dash.o", "x"],
        "bpfctl: prog load: unknown option -d\n"
        "  remedy     what begins with - and is no option goes behind --\n",
        id="a file like an option",
    ),
    pytest.param(
        ["version", "x"],
        "bpfctl: version: got unexpected extra argument(s) (x)\n"
        "  remedy     see bpfctl version --help\n",
        id="too-many",
    ),
    pytest.param(
        ["-o", "xml", "version"],
        'bpfctl: "xml" is no output format\n  remedy     one of table, wide, json, jsonl\n',
        id="format",
    ),
    pytest.param(
        ["version", "-o"],
        "bpfctl: option -o needs an output format\n  remedy     one of table, wide, json, jsonl\n",
        id="no-format",
    ),
    pytest.param(
        ["prog", "shwo"],
        'bpfctl: unknown command "prog shwo"\n  remedy     did you mean "prog show"? all: ',
        id="verb",
    ),
    pytest.param(
        ["prog", "lo"],
        'bpfctl: unknown command "prog lo"\n  remedy     ',
        id="a prefix of a verb is no match",
    ),
    pytest.param(
        ["iter"], "bpfctl: iter: a command is missing\n  remedy     one of ", id="no-verb"
    ),
]


@pytest.mark.parametrize(("words", "expected"), WRONG)
def test_wrong_words(words: list[str], expected: str) -> None:
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    whole = expected.endswith("\n")  # else the list of commands follows
    assert done.err[: None if whole else len(expected)] == expected


@pytest.mark.parametrize(("words", "expected"), WRONG)
def test_wrong_words_in_json(words: list[str], expected: str) -> None:
    done = (
        in_process(*words[:1], "-j", *words[1:])
        if words[:1] != ["-o"]
        else in_process("-j", *words)
    )
    assert (done.status, done.err) == (2, "")
    error = done.json["error"]
    assert expected.startswith(f"bpfctl: {error['message']}\n")
    assert error["code"] in {"usage", "unknown-command", "unknown-option"}
    assert error["status"] == 2
    assert set(error) == {
        *("code", "message", "operation", "object", "program"),
        *("evidence", "candidates", "remedy", "status"),
    }


def test_nothing_at_all_shows_what_there_is() -> None:
    done = run()
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Usage: bpfctl [OPTIONS] COMMAND [ARGS]...\n")
    assert "  prog " in done.err


def test_nothing_at_all_in_json() -> None:
    done = run("-j")
    assert (done.status, done.json["error"]["message"]) == (2, "a command is missing")
