"""The application as typer has it: for help, for what is wrong, and for manuals and completions."""

from __future__ import annotations

import typer
from typer.main import get_group

from bpfctl.errors import UsageError

from .lazy import RootGroup
from .output import say
from .status import Status
from .typer_errors import TyperUsageError, translate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .context import Context

app = typer.Typer(
    cls=RootGroup,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def bpfctl() -> None:
    """Load, attach, pin, inspect and explain BPF objects.

    A noun, a verb and its words, as in bpftool: `bpfctl link show id 7`. An object is chosen by
    `id N`, `name NAME`, `tag TAG` or `pinned PATH`; short: the id, the name or the path alone.
    """


def build() -> Any:
    """Return the command tree."""
    return get_group(app)


def run(out: Context, words: list[str]) -> int:
    """Read the words and run the command; the status is 0 unless the words or typer chose one.

    Raises: UsageError, and what the command raises.
    """
    try:
        with build().make_context("bpfctl", words, obj=out) as ctx:
            if not words:
                return _no_command(out, ctx)
            ctx.command.invoke(ctx)
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return Status.INTERRUPTED
    except TyperUsageError as err:
        raise translate(err) from err
    return Status.DONE


def _no_command(out: Context, ctx: Any) -> int:
    """Show a person what there is. A script that gave no command is wrong in either case."""
    if out.json:
        raise UsageError("a command is missing", remedy="see bpfctl help")
    say(ctx.get_help())
    return Status.USAGE
