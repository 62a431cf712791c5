"""Only what a command line needs is built."""

from __future__ import annotations

from typing import Any

import pytest
from bpfctl.commands.context import Context
from bpfctl.commands.lazy import load_noun
from bpfctl.commands.main import build


def resolved(*words: str) -> tuple[Any, list[str]]:
    """The noun's command as the root finds it, and the words left."""
    with build().make_context("bpfctl", list(words), obj=Context()) as ctx:
        _, command, rest = ctx.command.resolve_command(ctx, list(words))
        return command, rest


def names(command: Any) -> list[str]:
    return sorted(command.commands)


@pytest.mark.parametrize(
    ("words", "built"),
    [
        pytest.param(["prog", "show", "id", "1"], ["show"], id="a verb"),
        pytest.param(["prog", "list"], ["show"], id="bpftool's word for it"),
        pytest.param(["link", "create"], ["create"], id="another noun"),
    ],
)
def test_one_verb_is_built(words: list[str], built: list[str]) -> None:
    command, rest = resolved(*words)
    assert (names(command), rest) == (built, words[1:])


@pytest.mark.parametrize("word", ["nope", "sho", "-h", "help"])
def test_all_are_built_for_whoever_is_told_of_them(word: str) -> None:
    command, _ = resolved("prog", word)
    assert names(command) == names(load_noun("prog")) > ["load", "loadall"]


def test_the_noun_alone_has_all() -> None:
    assert names(resolved("link")[0]) == names(load_noun("link"))


def test_the_next_command_line_finds_all_again() -> None:
    whole = names(load_noun("map"))
    assert names(resolved("map", "dump")[0]) == ["dump"]
    assert names(load_noun("map")) == whole


def test_a_noun_that_is_a_command_has_no_verbs() -> None:
    command, rest = resolved("version", "version")
    assert (command.name, hasattr(command, "commands"), rest) == ("version", False, ["version"])
