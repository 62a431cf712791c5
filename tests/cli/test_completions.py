"""The completions in the shells themselves: bash, zsh and fish."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parents[2] / "completions"
NOUNS = {
    "prog",
    "map",
    "link",
    "net",
    "iter",
    "btf",
    "gen",
    "struct_ops",
    "feature",
    "check",
    "requires",
    "doctor",
    "explain",
    "demo",
    "why",
    "version",
    "help",
}

# Stands for the program: says what live objects there are.
FAKE = """#!/bin/sh
case "$*" in
  "__complete prog id") printf '7\\n71\\n' ;;
  "__complete map id") printf '8\\n' ;;
  "__complete map name") printf 'routes\\nexecs\\n' ;;
  "__complete prog name") printf 'on_exec\\nfilter\\n' ;;
  "__complete prog tag") printf 'ab12\\n' ;;
esac
"""

BASH = """
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_bpfctl
printf '%s\\n' "${COMPREPLY[@]}"
"""

# The parts of zsh's completion system that the function calls, printing what they are given.
ZSH = """
file=$1; shift
_describe() { while [[ $1 == -* ]]; do shift; done; [[ $1 == option ]] && shift
  local name=${@[-1]}; print -rl -- ${${(P)name}%%:*} }
compadd() { local name=$2; print -rl -- ${(P)name} }
_files() { print -rl -- ${words[CURRENT]}*(N) }
source $file
words=("$@"); CURRENT=$#
_bpfctl
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    program = tmp_path / "bin" / "bpfctl"
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(0o755)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "trace.bpf.o").touch()
    return f"{program.parent}:{os.environ['PATH']}"


@pytest.fixture(params=["bash", "zsh", "fish"])
def complete(
    request: pytest.FixtureRequest, tool: Callable[[str], str], path: str, tmp_path: Path
) -> Callable[..., set[str]]:
    """Give a function that completes the last of the words, which may be empty."""
    shell = tool(request.param)
    environment = {"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}

    def run(*words: str) -> set[str]:
        line = ["bpfctl", *words]
        command = {
            "bash": [shell, "--norc", "-c", BASH, "bash", str(FOLDER / "bpfctl.bash"), *line],
            "zsh": [shell, "-f", "-c", ZSH, "zsh", str(FOLDER / "_bpfctl"), *line],
            "fish": [shell, "--no-config", "-c", fish(line)],
        }[request.param]
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path / "work",
        )
        assert done.stderr == ""
        found = {text.split("\t")[0] for text in done.stdout.splitlines()} - {""}
        return {text for text in found if text.startswith(words[-1])}

    return run


def fish(line: list[str]) -> str:
    file = shlex.quote(str(FOLDER / "bpfctl.fish"))
    return f"source {file}; complete -C {shlex.quote(' '.join(line))}"


def test_nouns(complete: Callable[..., set[str]]) -> None:
    assert complete("") == NOUNS
    assert complete("ve") == {"version"}
    assert complete("-j", "ve") == {"version"}
    assert complete("-o", "wide", "ve") == {"version"}


def test_verbs(complete: Callable[..., set[str]]) -> None:
    assert complete("map", "") == {"show", "dump", "pin", "help"}
    assert complete("prog", "-j", "load") == {"load", "loadall"}


def test_words_of_a_verb(complete: Callable[..., set[str]]) -> None:
    assert complete("map", "show", "") >= {"id", "name", "pinned"}
    assert complete("prog", "show", "t") >= {"tag"}
    assert complete("map", "dump", "ro") == {"routes"}


def test_live_objects(complete: Callable[..., set[str]]) -> None:
    assert complete("prog", "show", "id", "") == {"7", "71"}
    assert complete("prog", "show", "tag", "") == {"ab12"}
    assert complete("map", "dump", "name", "e") == {"execs"}
    assert complete("iter", "run", "trace.bpf.o", "map", "id", "") == {"8"}


def test_files(complete: Callable[..., set[str]]) -> None:
    assert complete("prog", "load", "tr") == {"trace.bpf.o"}
    assert complete("map", "show", "pinned", "tr") == {"trace.bpf.o"}


def test_network_devices(complete: Callable[..., set[str]]) -> None:
    assert complete("link", "create", "7", "xdp", "dev", "") == {
        device.name for device in Path("/sys/class/net").iterdir()
    }


def test_types_of_attachments(complete: Callable[..., set[str]]) -> None:
    assert complete("net", "attach", "tc_") == {"tc_ingress", "tc_egress"}
    assert complete("net", "detach", "xdp", "dev", "") == {
        device.name for device in Path("/sys/class/net").iterdir()
    }


def test_targets_of_a_link(complete: Callable[..., set[str]]) -> None:
    assert complete("link", "create", "7", "raw") == {"raw_tracepoint"}
    assert complete("link", "create", "7", "kp") == {"kprobe", "kprobe.multi", "kprobe.session"}
    assert complete("link", "create", "7", "--p") == {"--pin", "--pretty"}
    assert complete("link", "create", "7", "--pin", "tr") == {"trace.bpf.o"}


def test_options(complete: Callable[..., set[str]]) -> None:
    assert complete("map", "show", "--js") == {"--json"}
    assert complete("--ver") == {"--version"}
    assert complete("-o", "j") == {"json", "jsonl"}


def test_topics_of_help(complete: Callable[..., set[str]]) -> None:
    assert complete("help", "") == NOUNS | {"sections"}


def test_codes_of_errors(complete: Callable[..., set[str]]) -> None:
    assert complete("explain", "capab") == {
        "capabilities-missing",
        "capabilities-in-user-namespace",
    }
