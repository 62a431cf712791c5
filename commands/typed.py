"""A declared command as typer wants it: a function whose signature has typer's own objects."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer

from .declare import Argument, Call, invoke, parameters

TYPE_CHECKING = False
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .declare import Option


def typed(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function for typer that calls a command, with the same name, help and parameters."""

    def run(ctx: typer.Context, **values: Any) -> None:
        invoke(function, Call(ctx.find_root().obj, ctx.command_path, ctx), values)

    first = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    own = inspect.signature(function).parameters
    rest = [
        own[name].replace(annotation=Annotated[kind, _info(declared)])
        for name, (declared, kind) in parameters(function)
    ]
    vars(run)["__signature__"] = inspect.Signature([first, *rest])
    run.__annotations__ = {one.name: one.annotation for one in (first, *rest)}
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return run


def _info(declared: Argument | Option) -> Any:
    """Return typer's object for one of ours."""
    if isinstance(declared, Argument):
        return typer.Argument(metavar=declared.metavar, help=declared.help)
    return typer.Option(*declared.flags, metavar=declared.metavar, help=declared.help)
