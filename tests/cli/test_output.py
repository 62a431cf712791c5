"""Where output goes: pipes that break, disks that are full, terminals of any width."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING

import pytest

from tests.cli.runner import PROGRAM, Done, as_program

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = ("help", "sections")


def redirected(command: str, *words: str) -> Done:
    """Run bpfctl under a shell that arranges its standard descriptors; "$@" is bpfctl."""
    done = subprocess.run(
        ["bash", "-c", command, "bash", *PROGRAM, *words],
        check=False,
        capture_output=True,
        text=True,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("words", [SECTIONS, ("-j", *SECTIONS), ("--help",), ("-j", "nope")])
def test_a_reader_that_left_gets_no_word(words: tuple[str, ...]) -> None:
    done = redirected('"$@" | true; exit ${PIPESTATUS[0]}', *words)
    expected = 2 if "nope" in words else 1
    assert done == Done(expected, "", "")


def test_a_reader_that_takes_a_part(tmp_path: Path) -> None:
    done = redirected('"$@" | head -n 1', *SECTIONS)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("SECTION")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("version",), ("-j", "version"), ("help",), SECTIONS])
def test_a_full_disk_is_an_error(words: tuple[str, ...]) -> None:
    done = redirected('"$@" >/dev/full', *words)
    assert done.status == 1
    if "-j" not in words:  # there the error goes where nothing can be written
        assert done.err == (
            "bpfctl: standard output: no space left on device\n  code       output-failed\n"
        )
    assert "Traceback" not in done.err


def test_a_closed_standard_output_is_an_error() -> None:
    done = redirected('"$@" >&-', "version")
    assert done == Done(
        1, "", "bpfctl: standard output: it is closed\n  code       output-closed\n"
    )


@pytest.mark.parametrize("word", ["2>&-", "2>/dev/full"])
def test_a_standard_error_that_takes_nothing(word: str) -> None:
    assert redirected(f'"$@" {word}', "nope") == Done(2, "", "")


def on_terminal(columns: int, *words: str) -> tuple[str, str]:
    """Run bpfctl on a terminal of some width; return what it showed, and standard error."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [*PROGRAM, *words], stdout=theirs, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        os.close(theirs)
        shown = b""
        while part := _read(ours):
            shown += part
        assert process.stderr is not None
        err = process.stderr.read()
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), err


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux tells that the other side is closed
        return b""


def test_a_narrow_terminal_loses_columns_not_rows() -> None:
    wide, narrow = on_terminal(250, *SECTIONS), on_terminal(70, *SECTIONS)
    assert wide[1] == ""
    assert narrow[1] == ("not shown here: ATTACH TYPE, FLAGS, WRITE INSTEAD (-o wide shows all)\n")
    assert wide[0].splitlines()[0].split()[-2:] == ["WRITE", "INSTEAD"]
    assert narrow[0].splitlines()[0].split() == ["SECTION", "PROGRAM", "TYPE", "SINCE"]
    assert len(narrow[0].splitlines()) == len(wide[0].splitlines()) > 80
    assert max(map(len, narrow[0].splitlines())) <= 70
    assert on_terminal(70, "-o", "wide", *SECTIONS) == wide
    assert as_program(*SECTIONS).out == wide[0]


def test_no_escape_sequences_even_on_a_terminal() -> None:
    for words in (("--help",), ("version",), SECTIONS, ("prog", "--help")):
        assert "\x1b" not in "".join(on_terminal(80, *words))


def test_control_characters_of_arguments_are_not_echoed() -> None:
    done = as_program("a\x1b[2Jb\n\u202e")
    assert (done.status, done.err.splitlines()[0]) == (
        2,
        'bpfctl: unknown command "a\\x1b[2Jb\\x0a\\u202e"',
    )


IMPORTED = """
import sys
from bpfctl.commands.main import main
main(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
"""
HEAVY = {
    "pydantic",
    "rich",
    "click.termui",
    "tabulate",
    "elftools",
    "pyroute2",
    "importlib.metadata",
}
NOUN_MODULES = {
    f"bpfctl.commands.{noun}" for noun in ("prog", "map", "link", "iter", "btf", "feature")
}


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--help"], set()),
        (["help"], set()),
        (["nope"], set()),
        (["-j", "version"], {"importlib.metadata"}),
        (["link", "--help"], {"bpfctl.commands.link"}),
        (["-j", "help", "sections"], set()),
    ],
    ids=lambda value: " ".join(value),
)
def test_only_what_is_needed_is_imported(words: list[str], allowed: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words], check=True, capture_output=True, text=True
    )
    modules = set(done.stderr.splitlines()[-1].split())
    assert "bpfctl.commands.main" in modules
    assert modules & (HEAVY | NOUN_MODULES) == allowed
