"""Whatever `quick` reads, typer reads alike."""

from __future__ import annotations

import subprocess
import sys
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from bpfctl.commands import quick, typed, typer_app
from bpfctl.commands.context import Context
from bpfctl.commands.declare import Argument, Option, parameters
from bpfctl.commands.main import build
from bpfctl.commands.tree import walk
from hypothesis import given
from hypothesis import strategies as st

from bpfctl.errors import BpfctlError

if TYPE_CHECKING:
    from collections.abc import Callable

NODES = [node for node in walk(build()) if not node.children]
LEAVES = [node.path[1:] for node in NODES if node.path[1:] != ("help",)]
ODD = ["7", "name", "x", "", "-", "--", "-1", "a=b", "--x", "-h", "--help", "\u0663"]
WORDS = st.one_of(st.sampled_from(ODD), st.text(max_size=4))


def function_of(path: tuple[str, ...]) -> Callable[..., None]:
    found = quick.find(path)
    assert found is not None
    function: Callable[..., None] = found[1]
    return function


def flags_of(path: tuple[str, ...]) -> list[str]:
    declared = [one for _, (one, _) in parameters(function_of(path)) if isinstance(one, Option)]
    return [flag for one in declared for flag in one.flags]


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    path = draw(st.sampled_from(LEAVES))
    flags = flags_of(path)
    known = st.sampled_from(flags) if flags else WORDS
    word = st.one_of(WORDS, known, st.tuples(known, WORDS).map("=".join))
    return [*path, *draw(st.lists(word, max_size=5))]


@pytest.fixture(scope="module")
def calls() -> Any:
    """Run no command, and note what it would have been called with."""
    seen: list[tuple[Callable[..., None], str, dict[str, Any]]] = []
    patch = pytest.MonkeyPatch()

    def note(function: Callable[..., None], call: Any, values: dict[str, Any]) -> None:
        seen.append((function, call.path, values))

    for module in (quick, typed):
        patch.setattr(module, "invoke", note)
    yield seen
    patch.undo()


def whole(function: Callable[..., None], values: dict[str, Any]) -> dict[str, Any]:
    """Add what was not given; no words at all are the same as none."""
    own = signature(function).parameters
    given = {name: values.get(name, own[name].default) for name in own if name != "call"}
    return {name: value if value not in ((), []) else None for name, value in given.items()}


@given(line=command_lines())
def test_typer_reads_the_same(calls: Any, line: list[str]) -> None:
    calls.clear()
    if not quick.run(Context(), line):
        return
    try:
        typer_app.run(Context(), line)
    except BpfctlError as err:  # what is wrong must not be run
        pytest.fail(f"{line}: typer says {err}")
    (function, path, values), (other, other_path, others) = calls
    assert (function, path) == (other, other_path)
    assert whole(function, values) == whole(function, others)


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_an_ordinary_line_needs_no_typer(path: tuple[str, ...]) -> None:
    """Each option once, and as many words as are wanted."""
    line: list[str] = []
    expected: dict[str, Any] = {}
    function = function_of(path)
    for name, (declared, kind) in parameters(function):
        if isinstance(declared, Argument):
            words = ["w"] if kind in (str, str | None) else ["v", "w"]
            line += words
            expected[name] = words[0] if len(words) == 1 else words
        elif kind is bool:
            line.append(declared.flags[0])
            expected[name] = True
        else:
            line += [declared.flags[0], "7"]
            text: Any = 7 if kind in (int, int | None) else "7"
            expected[name] = ["7"] if "list" in str(kind) else text
    assert quick.read(function, line) == expected


@pytest.mark.parametrize(
    "line",
    [
        ["help"],
        ["nonsense"],
        ["prog", "nonsense"],
        ["prog", "load", "--nonsense"],
        ["prog", "load", "--program"],
        ["prog", "load", "--log-level", "many"],
        ["prog", "load", "--log-level", "9" * 5000],
        ["prog", "load", "--attach=yes"],
        ["prog", "load", "--help"],
        ["feature", "list_builtins"],
        ["feature", "list_builtins", "helpers", "maps"],
        [],
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_left_to_typer(line: list[str]) -> None:
    assert quick.run(Context(), line) is False


def test_typer_is_not_imported() -> None:
    """It would take longer than the command."""
    code = (
        "import sys; from bpfctl.commands.main import main; main(['version']);"
        "print(sorted({'typer', 'tabulate', 'elftools'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
