"""What somebody may have meant."""

from __future__ import annotations

import pytest
from bpfctl.commands.suggest import nearest, unknown_command, where

VERBS = ["show", "load", "loadall", "pin"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("shwo", "show"),
        ("laod", "load"),
        ("loadal", "loadall"),
        ("sh", "show"),
        ("lo", "load"),
        ("", None),
        ("frobnicate", None),
    ],
)
def test_nearest(word: str, expected: str | None) -> None:
    assert nearest(word, VERBS) == expected


def test_unknown_command() -> None:
    err = unknown_command("bpfctl prog", "shwo", VERBS)
    assert (err.message, err.remedy, err.code) == (
        'unknown command "prog shwo"',
        'did you mean "prog show"? all: show, load, loadall, pin',
        "unknown-command",
    )


@pytest.mark.parametrize(
    ("path", "front"), [("bpfctl", ""), ("bpfctl prog", "prog: "), ("bpfctl a b", "a b: ")]
)
def test_where(path: str, front: str) -> None:
    assert where(path) == front
