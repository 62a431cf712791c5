"""The one place that writes to standard output, whole or in pieces.

A closed or full standard output is an error with words; a reader that went away (`| head`) is not
worth a word and ends the command quietly (see main.py).
"""

from __future__ import annotations

import os
import sys

from bpfctl.errors import PathError
from bpfctl.plain_tools import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TextIO

    from .context import Context

_COMPACT = (",", ":")
_INDENT = 4  # as bpftool


def standard_output() -> TextIO:
    """Return standard output.

    Raises: PathError when the process was started with it closed.
    """
    if sys.stdout is None:
        raise PathError("it is closed", code="output-closed", subject="standard output")
    return sys.stdout


def write_text(text: str) -> None:
    """Write text as it is. The caller cleaned what came from the kernel or from a file.

    A name that is no UTF-8 (surrogates, from a path) is written with backslash escapes.
    """
    out = standard_output()
    with _worded():
        try:
            out.write(text)
        except UnicodeEncodeError:
            out.write(text.encode(out.encoding, "backslashreplace").decode(out.encoding))


def write_json(out: Context, value: object) -> None:
    """Write one JSON document and a newline."""
    write_text(dumps(out, value) + "\n")


def write_done(out: Context) -> None:
    """Answer a script of bpftool, which writes `null` where there is nothing to show."""
    if out.json:
        write_json(out, None)


def dumps(out: Context, value: object) -> str:
    """Return a JSON document: ASCII only, so control characters and surrogates are escaped."""
    import json  # with re takes longer than many commands

    if out.pretty:
        return json.dumps(value, indent=_INDENT)
    return json.dumps(value, separators=_COMPACT)


def elements(out: Context, values: Iterable[object]) -> str:
    """Return values as they stand inside a JSON array, or one a line in JSON Lines."""
    if out.json_lines:
        import json

        return "\n".join(json.dumps(value, separators=_COMPACT) for value in values)
    text = dumps(out, list(values))
    return text[1:-1].rstrip("\n") if text != "[]" else ""


@contextmanager
def json_array(out: Context) -> Iterator[Callable[[str], None]]:
    """Write a JSON array in pieces: give a function that takes text made by `elements`.

    The array is closed on errors too, so that what was written stays valid JSON. Before its
    first element an error leaves nothing behind: the error itself is all there is to read then.
    """
    before, between, after = ("", "\n", "\n") if out.json_lines else ("[", ",", "]\n")
    if out.pretty and not out.json_lines:
        after = "\n]\n"
    started = False

    def put(text: str) -> None:
        nonlocal started
        if text:
            write_text((between if started else before) + text)
            started = True

    failed = True
    try:
        yield put
        failed = False
    finally:
        if started:
            write_text(after)
        elif not (failed or out.json_lines):
            write_text("[]\n")


def say(text: str) -> None:
    """Write a line for people to standard error: a note, a warning. Silent where it is closed."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(text + "\n")
        except UnicodeEncodeError:
            sys.stderr.write(text.encode("ascii", "backslashreplace").decode() + "\n")


def finish() -> None:
    """Hand everything to the kernel, so that a full disk is an error and not a lost message."""
    if sys.stdout is not None:
        with _worded():
            sys.stdout.flush()


@contextmanager
def _worded() -> Iterator[None]:
    """Word what can befall standard output; a reader that left stays a BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as err:
        text = (err.strerror or str(err)).lower()
        raise PathError(text, code="output-failed", subject="standard output") from err


def abandon() -> None:
    """Point standard output to nowhere: nobody reads it, and what is buffered must not complain."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or not a file (a test)
        return
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nowhere, number)
    os.close(nowhere)
