"""Commands as data, from an application made for the purpose."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import pytest
import typer
from bpfctl.commands.lazy import WordGroup
from bpfctl.commands.params import Command
from bpfctl.commands.tree import Argument, Node, Option, walk


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


app = typer.Typer(rich_markup_mode=None, help="Do things. All of them.", cls=WordGroup)


@app.command(cls=Command)
def show(
    words: Annotated[list[str] | None, typer.Argument(metavar="[THING]", help="Which.")] = None,
    mode: Annotated[Mode | None, typer.Option("-m", "--mode", help="How.")] = None,
    count: Annotated[int, typer.Option(help="How often.")] = 1,
    *,
    deep: Annotated[bool, typer.Option("--deep", help="All.")] = False,
) -> None:
    """Show things.

    At length.
    """
    typer.echo(f"{words} {mode} {count} {deep}")


@app.command(hidden=True)
def secret() -> None:
    """Nobody sees it."""


HELP = Option(("--help",), None, "Show this message and exit.")


def test_walk() -> None:
    root, verb = walk(typer.main.get_group(app), ("prog",))
    assert root == Node(("prog",), "Do things. All of them.", (HELP,), (), ("show",))
    assert root.summary == "Do things"
    assert verb == Node(
        ("prog", "show"),
        "Show things.\n\nAt length.",
        (
            Option(("-m", "--mode"), "MODE", "How.", ("fast", "slow")),
            Option(("--count",), "COUNT", "How often."),
            Option(("--deep",), None, "All."),
            HELP,
        ),
        (Argument("[THING]", "Which.", required=False, many=True),),
        (),
    )
    assert verb.summary == "Show things"


@pytest.mark.parametrize(
    ("argument", "usage"),
    [
        (Argument("OBJ", "", required=True, many=False), "OBJ"),
        (Argument("PATH", "", required=False, many=False), "[PATH]"),
        (Argument("[map MAP]", "", required=False, many=True), "[map MAP]"),
        (Argument("OBJ [map MAP]", "", required=False, many=True), "OBJ [map MAP]"),
    ],
)
def test_usage_of_an_argument(argument: Argument, usage: str) -> None:
    assert argument.usage == usage


def run(*words: str) -> int:
    with typer.main.get_group(app).make_context("prog", list(words)) as ctx:
        status: int = ctx.command.invoke(ctx) or 0
        return status


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["show"], "None None 1 False"),
        (["show", "a", "-b"], None),
        (["show", "id", "7", "--count", "3", "--deep"], "['id', '7'] None 3 True"),
        (["show", "--mode", "slow"], "None Mode.SLOW 1 False"),
    ],
)
def test_values(words: list[str], expected: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    if expected is None:
        with pytest.raises(typer.BadParameter.__mro__[1]):
            run(*words)
    else:
        run(*words)
        assert capsys.readouterr().out == expected + "\n"


def test_a_wrong_number() -> None:
    with pytest.raises(typer.BadParameter, match=r"many"):
        run("show", "--count", "many")


def test_help_of_a_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        run("show", "--help")
    assert capsys.readouterr().out == (
        "Usage: prog show [OPTIONS] [THING]\n"
        "\n"
        "  Show things.\n"
        "\n"
        "  At length.\n"
        "\n"
        "Words:\n"
        "  [THING]  Which.\n"
        "\n"
        "Options:\n"
        "  -m, --mode MODE  How.\n"
        "  --count COUNT    How often.\n"
        "  --deep           All.\n"
        "  --help           Show this message and exit.\n"
    )
