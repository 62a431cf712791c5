"""What typer says about a wrong command line, as an error of ours."""

from __future__ import annotations

import typer

from bpfctl.errors import UsageError

from .options import FORMAT_FLAGS, OPTIONS
from .suggest import nearest, operation, where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# The class of every wrong command line. Newer typers raise their own, older ones that of click;
# public in both is only BadParameter, which derives from it.
TyperUsageError: type[Exception] = typer.BadParameter.__mro__[1]


def translate(err: Any) -> UsageError:
    """Return our error for one of typer's."""
    ctx = err.ctx
    option = getattr(err, "option_name", None)
    if option is not None and type(err).__name__ == "NoSuchOption":
        return unknown_option(option, ctx)
    message = " ".join(err.format_message().split()).rstrip(".")
    if ctx is None:
        return UsageError(message[:1].lower() + message[1:])
    return UsageError(
        where(ctx.command_path) + message[:1].lower() + message[1:],
        operation=operation(ctx),
        remedy=f"see {ctx.command_path} --help",
    )


def unknown_option(word: str, ctx: Any) -> UsageError:
    """Return the error for an option nobody has, with the nearest one that exists."""
    near = nearest(word.split("=")[0], _options_of(ctx))
    remedy = f'did you mean "{near}"?' if near else f"see {ctx.command_path} --help"
    if near == word:  # a letter of a word that is meant to be none of options: "-dash.o"
        remedy = "what begins with - and is no option goes behind --"
    return UsageError(
        f"{where(ctx.command_path)}unknown option {word}",
        code="unknown-option",
        operation=operation(ctx),
        remedy=remedy,
    )


def _options_of(ctx: Any) -> Iterable[str]:
    own = (flag for param in ctx.command.get_params(ctx) for flag in param.opts)
    everywhere = (flag for option in OPTIONS for flag in option.flags)
    return [flag for flag in (*own, *everywhere, *FORMAT_FLAGS) if flag.startswith("-")]
