"""The commands as plain data, for the man pages, the completions and the tests of both."""

from __future__ import annotations

from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@plain
class Option:
    """An option: its flags as typed, what stands for its value (None for a switch), its help."""

    flags: tuple[str, ...]
    metavar: str | None
    help: str
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The option as it stands in a list of options."""
        return " ".join((", ".join(self.flags), *((self.metavar,) if self.metavar else ())))


@plain
class Argument:
    """Words without a dash; `many` when any number of them may come."""

    metavar: str
    help: str
    required: bool
    many: bool

    @property
    def usage(self) -> str:
        """The argument as it stands in a synopsis. That of many words is a grammar of its own."""
        return self.metavar if self.required or self.many else f"[{self.metavar}]"


@plain
class Node:
    """A command: the words that lead to it from "bpfctl" on, and what it takes."""

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    children: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The first sentence of the help, without its full stop."""
        return " ".join(self.help.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def walk(command: Any, path: tuple[str, ...] = ("bpfctl",), parent: Any = None) -> Iterator[Node]:
    """Yield the command and all below it, parents first; hidden ones are left out."""
    ctx = command.make_context(path[-1], [], parent=parent, resilient_parsing=True)
    children = command.list_commands(ctx) if hasattr(command, "list_commands") else []
    shown = {name: command.get_command(ctx, name) for name in children}
    shown = {name: child for name, child in shown.items() if not child.hidden}
    yield Node(
        path,
        command.help or "",
        tuple(options_of(command, ctx)),
        tuple(arguments_of(command, ctx)),
        tuple(shown),
    )
    for name, child in shown.items():
        yield from walk(child, (*path, name), ctx)


def options_of(command: Any, ctx: Any) -> list[Option]:
    """Return the options of one command."""
    return [_option(param) for param in _shown(command, ctx, "option")]


def arguments_of(command: Any, ctx: Any) -> list[Argument]:
    """Return the words one command takes."""
    return [_argument(param) for param in _shown(command, ctx, "argument")]


def _shown(command: Any, ctx: Any, kind: str) -> list[Any]:
    return [
        param
        for param in command.get_params(ctx)
        if param.param_type_name == kind and not getattr(param, "hidden", False)
    ]


def _option(param: Any) -> Option:
    value = None if param.is_flag else param.metavar or param.name.upper()
    flags = sorted((*param.opts, *param.secondary_opts), key=lambda flag: flag.startswith("--"))
    return Option(tuple(flags), value, param.help or "", _choices(param))


def _choices(param: Any) -> tuple[str, ...]:
    """Return the words the option takes, told by the type of its parameter."""
    kind = getattr(param, "type_descriptor", None) or param.type
    return tuple(
        str(getattr(choice, "value", choice)) for choice in getattr(kind, "choices", None) or ()
    )


def _argument(param: Any) -> Argument:
    metavar = param.metavar or param.name.upper()
    return Argument(metavar, param.help or "", bool(param.required), param.nargs == -1)
