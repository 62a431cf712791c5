"""How a noun's module declares its commands: as plain data, so that running one needs no typer.

`quick` reads an ordinary command line by these declarations. typer is built from them for all that
is read or explained at length: help, wrong command lines, manual pages and completions.
"""

from __future__ import annotations

from bpfctl.plain import plain
from bpfctl.plain_typing import Annotated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .context import Context

    Declare = Callable[[Callable[..., None]], Callable[..., None]]

_NAMES = {"Annotated": Annotated}  # modules import it for the type checker alone
CALL = "call"  # the parameter for a Call, where a command has one


@plain
class Argument:
    """Words without a dash: one where the parameter is a str, any number where it is a list."""

    metavar: str
    help: str


class Option:
    """An option, by its flags: a switch where the parameter is a bool, repeatable for a list."""

    def __init__(self, *flags: str, help: str, metavar: str | None = None) -> None:  # noqa: A002
        self.flags = flags
        self.help = help
        self.metavar = metavar


@plain
class Call:
    """What a command is called with besides its words.

    `out` are the global options, `path` the words that led to it ("bpfctl prog load"), and `typer`
    is typer's own context where typer read the command line.
    """

    out: Context
    path: str
    typer: Any = None


@plain
class Verb:
    """A command: the function that does it. `loose`: words may begin with a dash, as -1 does."""

    run: Callable[..., None]
    loose: bool = False


class Noun:
    """The commands of one noun's module, by name; `help` is for the noun as a whole."""

    def __init__(self, help: str = "") -> None:  # noqa: A002 - the word of the field
        self.help = help
        self.verbs: dict[str, Verb] = {}

    def command(self, name: str = "", *, loose: bool = False) -> Declare:
        """Declare a function as a command, by its own name unless another is given."""

        def declare(function: Callable[..., None]) -> Callable[..., None]:
            self.verbs[name or function.__name__] = Verb(function, loose)
            return function

        return declare


def parameters(function: Callable[..., None]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield what a command takes besides its call: the name, how it is declared, and its type."""
    code = function.__code__
    for name in code.co_varnames[: code.co_argcount]:
        if name != CALL:
            text = function.__annotations__[name]
            annotation = function.__globals__.get(text)  # most have a name
            if annotation is None:
                annotation = eval(text, function.__globals__, _NAMES)  # noqa: S307 - our own source
            yield name, (annotation.__metadata__[0], annotation.__origin__)


def invoke(function: Callable[..., None], call: Call, values: dict[str, Any]) -> None:
    """Run a command; it is given the call where it asks for it. Raises: what the command raises."""
    if CALL in function.__annotations__:
        function(call, **values)
    else:
        function(**values)


class Exit(Exception):  # noqa: N818 - no error: the command did what it could
    """Ends a command that wrote what there is to write, with a status other than 0."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
