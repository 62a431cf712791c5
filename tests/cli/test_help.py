"""`--help` of every command, `help`, and the table of section names."""

from __future__ import annotations

from typing import Any

import pytest
from bpfctl.commands.main import build
from bpfctl.commands.nouns import NOUNS
from bpfctl.commands.tree import Node, walk

from tests.cli.runner import in_process, run

COMMANDS = list(walk(build()))


@pytest.mark.parametrize("node", [pytest.param(n, id=" ".join(n.path)) for n in COMMANDS])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_explains_itself(node: Node, flag: str) -> None:
    done = in_process(*node.path[1:], flag)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {' '.join(node.path)} ")
    assert node.help
    flags = [flag for option in node.options for flag in option.flags]
    assert [flag for flag in flags if flag not in done.out] == []
    assert [child for child in node.children if child not in done.out] == []
    assert all(option.help for option in node.options)


def test_help_needs_no_noun() -> None:
    done = run("help")
    assert (done.status, done.err) == (0, "")
    assert done.out == run("--help").out
    assert [noun.name for noun in NOUNS if f"\n  {noun.name}" not in done.out] == []


@pytest.mark.parametrize("words", [["prog"], ["prog", "show"], ["map", "dump"], ["version"]])
def test_help_of_a_command(words: list[str]) -> None:
    expected = run(*words, "--help")
    assert run("help", *words) == expected
    assert in_process("-j", "help", *words).json == {"help": expected.out.removesuffix("\n")}


def test_help_as_a_verb() -> None:
    assert in_process("prog", "help") == in_process("prog", "--help")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["help", "porg"], 'unknown command "porg"'),
        (["help", "prog", "shwo"], 'unknown command "prog shwo"'),
        (["help", "version", "x"], 'unknown command "version x"'),
    ],
)
def test_help_of_nothing(words: list[str], message: str) -> None:
    done = in_process("-j", *words)
    assert (done.status, done.json["error"]["message"]) == (2, message)


def test_sections() -> None:
    from bpfctl.elf.sections import definitions

    done = run("help", "sections")
    assert (done.status, done.err) == (0, "")
    header, *rows = done.out.splitlines()
    assert header.split() == [
        *("SECTION", "PROGRAM", "TYPE", "ATTACH", "TYPE", "FLAGS", "SINCE", "WRITE", "INSTEAD"),
    ]
    assert [row.split()[0] for row in rows] == [row.form for row in definitions()]


def test_sections_in_json() -> None:
    rows: list[dict[str, Any]] = run("-j", "help", "sections").json
    by_name = {row["name"]: row for row in rows}
    assert by_name["xdp"]["prog_type"] == "xdp"
    assert by_name["xdp.frags/devmap"] == {
        "name": "xdp.frags/devmap",
        "form": "xdp.frags/devmap",
        "follow": "nothing",
        "prog_type": "xdp",
        "attach_type": "xdp_devmap",
        "attach": "none",
        "sleepable": False,
        "frags": True,
        "btf_target": False,
        "since": "5.18",
        "modern": [],
    }
    assert by_name["iter.s"]["sleepable"] is True


def test_sections_take_no_further_word() -> None:
    done = run("help", "sections", "xdp")
    assert (done.status, done.out) == (2, "")
    assert done.err == 'bpfctl: "xdp" is one word too many: nothing is expected there\n'
