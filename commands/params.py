"""Command-line words to values, without pydantic where they need none.

From 0.29 typer hands every value to pydantic, whose import takes as long as most of our commands.
Words, switches and numbers are what nearly all our parameters are: they are converted here, and
everything else still by typer.
"""

from __future__ import annotations

from types import MethodType

import typer
from typer.core import TyperCommand

from bpfctl.errors import BpfctlError

from .suggest import operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_AS_IT_IS = (str, bool, list[str])


class Words:
    """Stands in for what typer asks to convert values."""

    def __init__(self, *, is_number: bool) -> None:
        self.is_number = is_number

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Convert the value of one parameter; None is what was not given."""
        if param.multiple or param.nargs == -1:
            return () if value is None else value
        if not self.is_number or value is None:
            return value
        try:
            return int(value)
        except ValueError as err:
            message = f'"{value}" is no whole number'
            raise typer.BadParameter(message, ctx=ctx, param=param) from err


def _runtime_param(param: Any) -> Any:
    """Return who converts this parameter: typer itself for anything but words and numbers."""
    kind = param.type_descriptor
    if kind.annotation in _AS_IT_IS and not kind.is_choice:
        return Words(is_number=False)
    if kind.annotation is int and not kind.is_ranged:
        return Words(is_number=True)
    return type(param).get_runtime_param(param)


def light(params: list[Any]) -> list[Any]:
    """Have these parameters converted here. Older typers, without pydantic, stay as they are."""
    for param in params:
        if hasattr(param, "get_runtime_param"):
            param.get_runtime_param = MethodType(_runtime_param, param)
    return params


class Command(TyperCommand):
    """A verb: its errors say what it was, its help shows the grammar of its words as written."""

    def invoke(self, ctx: Any) -> Any:
        """Run it. Raises: what it raises, as an error of this operation."""
        try:
            return super().invoke(ctx)
        except BpfctlError as err:
            err.within(operation=operation(ctx))
            raise

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, with the help option."""
        return light(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what follows the command's name in its usage line."""
        from .tree import arguments_of

        return ["[OPTIONS]", *(argument.usage for argument in arguments_of(self, ctx))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """List words and options."""
        from .tree import arguments_of, options_of

        words = [(argument.metavar, argument.help) for argument in arguments_of(self, ctx)]
        options = [(option.usage, option.help) for option in options_of(self, ctx)]
        for title, rows in (("Words", words), ("Options", options)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
