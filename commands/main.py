"""The entry: reads the command line, runs it, and turns exceptions into exit statuses."""

from __future__ import annotations

from bpfctl.errors import PathError, UsageError
from bpfctl.plain_tools import ExitStack

from . import quick
from .declare import Exit
from .options import take_options
from .output import abandon, finish
from .status import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from .context import Context


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
    """Read the words and run the command; the status is 0 unless the command chose one."""
    if wrong is not None:
        raise wrong
    words = ["version"] if out.version else words
    try:
        with _traced(out):
            if not quick.run(out, words):
                from .typer_app import run

                return run(out, words)
    except Exit as end:
        return end.status
    return Status.DONE


def build() -> Any:
    """Return typer's command tree; the man pages and completions are made from it."""
    from .typer_app import build

    return build()


def _traced(out: Context) -> AbstractContextManager[object]:
    if not out.debug:
        return ExitStack()  # with nothing in it
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
