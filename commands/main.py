"""The entry: builds the application, runs it, and turns exceptions into exit statuses."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import typer
from typer.main import get_group

from bpfctl.errors import PathError, UsageError

from .lazy import RootGroup
from .options import take_options
from .output import abandon, finish, say
from .status import Status
from .typer_errors import TyperUsageError, translate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

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


def main(words: Sequence[str]) -> int:
    """Run one command line and return its exit status. Whatever goes wrong ends in words here."""
    out, rest, wrong = take_options(words)
    try:
        status = _run(out, rest, wrong)
        finish()
    except BrokenPipeError:  # the reader has seen enough; it is no mishap worth a word
        abandon()
        return Status.FAILED
    except Exception as err:  # noqa: BLE001 - the last place that can put an error into words
        return _fail(out, err)
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    return status


def _run(out: Context, words: list[str], wrong: UsageError | None) -> int:
    """Parse the words and run the command; the status is 0 unless the command chose one."""
    if wrong is not None:
        raise wrong
    words = ["version"] if out.version else words
    try:
        with _traced(out), build().make_context("bpfctl", words, obj=out) as ctx:
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


def build() -> Any:
    """Return the command tree; the man pages and completions are made from it too."""
    return get_group(app)


def _no_command(out: Context, ctx: Any) -> int:
    """Show a person what there is. A script that gave no command is wrong in either case."""
    if out.json:
        raise UsageError("a command is missing", remedy="see bpfctl help")
    say(ctx.get_help())
    return Status.USAGE


def _traced(out: Context) -> AbstractContextManager[None]:
    if not out.debug:
        return nullcontext()
    from .trace import tracing

    return tracing()


def _fail(out: Context, err: Exception) -> int:
    """Word the error. Where even that cannot be written, the status still tells."""
    from .errors_view import explained, report, status_of

    err = explained(err)
    try:
        report(out, err)
        finish()
    except (OSError, PathError):
        abandon()
    return status_of(err)
