"""An ordinary command line, read by the declarations alone.

typer takes longer to import than most commands take to run. What is not read here is read by typer
and nobody sees a difference: whatever is not plainly right is left to it, for it words what is
wrong.
"""

from __future__ import annotations

from bpfctl.errors import BpfctlError

from .declare import Argument, Call, Option, invoke, parameters
from .nouns import ALIASES, BY_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from .context import Context
    from .declare import Noun

_ONE_WORD = (str, str | None)
_MOST_DIGITS = 20  # of a number; int() refuses thousands


def run(out: Context, words: Sequence[str]) -> bool:
    """Run the command of a command line; False when typer has to read it.

    Raises: what the command raises, as an error of that operation.
    """
    found = find(words)
    if found is None:
        return False
    path, function, rest = found
    values = read(function, rest)
    if values is None:
        return False
    try:
        invoke(function, Call(out, " ".join(("bpfctl", *path))), values)
    except BpfctlError as err:
        err.within(operation="-".join(path))
        raise
    return True


def find(words: Sequence[str]) -> tuple[tuple[str, ...], Callable[..., None], list[str]] | None:
    """Return the words that name a command, its function, and the words for it."""
    noun = BY_NAME.get(words[0]) if words else None
    if noun is None or noun.needs_typer:
        return None
    app: Noun = __import__(f"{__package__}.{noun.module or noun.name}", fromlist=["app"]).app
    if noun.single:
        return (noun.name,), app.verbs[noun.name].run, list(words[1:])
    given = words[1] if len(words) > 1 else noun.default or ""
    name = given if given in app.verbs else ALIASES.get(given, "")
    verb = app.verbs.get(name)
    return ((noun.name, name), verb.run, list(words[2:])) if verb else None


def read(function: Callable[..., None], words: Sequence[str]) -> dict[str, Any] | None:
    """Return the values of a command's parameters; None where the words are not plainly right."""
    declared = dict(parameters(function))
    options = {
        flag: name
        for name, (one, _) in declared.items()
        if isinstance(one, Option)
        for flag in one.flags
    }
    values: dict[str, Any] = {}
    others: list[str] = []
    left = iter(words)
    for word in left:
        if word[:1] != "-" or word == "-":
            others.append(word)
            continue
        flag, equals, value = word.partition("=")
        name = options.get(flag, "")
        given = value if equals else None
        if equals and flag[:2] != "--":  # then the value begins with "="
            return None
        if not name or not _take(declared[name][1], name, given, left, values):
            return None
    return values if _place(declared, others, values) else None


def _take(
    kind: Any, name: str, value: str | None, left: Iterator[str], values: dict[str, Any]
) -> bool:
    """Read the value of one option, from the following word if need be; say whether it is fine."""
    if kind is bool:
        values[name] = True
        return value is None
    if value is None:
        value = next(left, "-")
        if value[:1] == "-":
            return False
    if kind in (int, int | None):
        if not (value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS):
            return False
        values[name] = int(value)
    elif kind in (str, str | None):
        values[name] = value
    else:
        values.setdefault(name, []).append(value)
    return True


def _place(declared: dict[str, tuple[Any, Any]], words: list[str], values: dict[str, Any]) -> bool:
    """Give the words without a dash to the parameters that take them."""
    names = [name for name, (one, _) in declared.items() if isinstance(one, Argument)]
    if len(names) == 1 and declared[names[0]][1] not in _ONE_WORD:
        values[names[0]] = words
        return True
    needed = [name for name in names if declared[name][1] is str]
    values |= zip(names, words, strict=False)
    return len(needed) <= len(words) <= len(names)
