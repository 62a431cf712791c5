"""`bpfctl feature`: ask the running kernel what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bpfctl.errors import NotYetError, UsageError

from .context import current
from .output import say, write_json
from .status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.features.report import FeatureReport

    from .context import Context

app = typer.Typer(help="Ask the running kernel what it can do.")

_GRAMMAR = "[kernel | dev NAME] [full] [macros [prefix PREFIX]] [unprivileged]"
_NOT_YET = {
    "dev": "probing a network device (dev NAME)",
    "macros": "output as C macros (macros)",
    "unprivileged": "probing as a user without capabilities (unprivileged)",
}


@app.command()
def probe(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar=_GRAMMAR, help="As in bpftool. `full` gives every answer a line of its own."
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit with 4 when something could not be told for lack of permission."
        ),
    ] = False,
) -> None:
    """Ask the running kernel what it can do.

    Each answer is yes, no, or "cannot tell" with the reason: a refusal for lack of permission says
    nothing about what the kernel can do. Program types are asked about for each attach type.
    Helper functions are asked about in JSON and with `full`.
    """
    full = parse(words or [])
    out = current(ctx)
    from bpfctl.features.probe import probe_kernel

    report = probe_kernel(helpers=full or out.json, noisy=full)
    show(out, report, full=full)
    denied = report.denied()
    if denied and strict:
        say(f"could not be told for lack of permission: {', '.join(denied)}")
        raise typer.Exit(Status.NOT_PERMITTED)


def parse(words: Sequence[str]) -> bool:
    """Read bpftool's words; return whether `full` is among them.

    Raises: NotYetError (a word that asks for what bpfctl cannot do yet), UsageError (others).
    """
    full = False
    for place, word in enumerate(words):
        if word in _NOT_YET:
            raise NotYetError(_NOT_YET[word], operation="feature-probe")
        if word == "full" and not full:
            full = True
        elif word != "kernel" or place:
            raise UsageError(f'"{word}" is not expected there', remedy=f"expected {_GRAMMAR}")
    return full


def show(out: Context, report: FeatureReport, *, full: bool) -> None:
    """Write a report: as JSON, as a table with a line for each answer, or on one screen."""
    if out.json:
        write_json(out, report.to_json())
    elif full:
        from .feature_table import show_table

        show_table(out, report)
    else:
        from .feature_text import show_screen

        show_screen(report)
    missing = report.missing_capabilities
    if missing and report.denied():
        denied = len(report.denied())
        say(f"{denied} could not be told: denied, and this process lacks {', '.join(missing)}")
