"""A rejection by the verifier in at most 25 lines: the rule, the place, the way, the remedy."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from .blocks import LABEL_WIDTH, labelled
from .clean import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.errors import VerifierError
    from bpfctl.rejected import Place, Rejection, SourceLine

LINES: Final = 25
_WIDTH: Final = 100
_TEXT_WIDTH: Final = _WIDTH - LABEL_WIDTH - 3
_PLACE_WIDTH: Final = 28  # of "file:line" in a table of places


def explanation(err: VerifierError, rejection: Rejection) -> list[str]:
    """Return the lines between the first and the log: where, where from, the way, what to change.

    Of the way the oldest steps go when all would be more than a screen.
    """
    place = list(_place(rejection))
    origin = list(_origin(rejection.origin))
    rest = [
        *labelled("hottest", _hot(rejection)),
        *labelled("kernel", _kernel(rejection)),
        *labelled("may use it", _who_may(rejection)),
        *labelled("evidence", [one for one in err.evidence if one not in rejection.evidence]),
        *labelled("could be", err.candidates),
        *labelled("change", _wrapped(err.remedy or "")),
    ]
    room = LINES - 4 - len(place) - len(origin) - len(rest)  # 4: headline, log, truncation, code
    path = _path(rejection)
    return [*place, *origin, *labelled("path", path[-max(room, 1) :]), *rest]


def _place(rejection: Rejection) -> Iterator[str]:
    """Yield the source line, and below it what is done there."""
    if rejection.source is None:
        if rejection.insn is not None:
            yield from labelled("at", [f"insn {rejection.insn}: {rejection.access}".rstrip(": ")])
        return
    before = f"  {clean(_where(rejection.source))}    "
    text, column = _shown(rejection.source, _WIDTH - len(before))
    yield before + clean(text)
    if rejection.access:
        yield " " * (len(before) + column) + f"^ {clean(rejection.access)}"


def _shown(source: SourceLine, width: int) -> tuple[str, int]:
    """Return the line without its indentation, cut to fit, and where its column is then."""
    text = source.text.rstrip()
    column = max(0, source.column - 1)
    indent = len(text) - len(text.lstrip())
    text, column = text.lstrip(), max(0, column - indent)
    width = max(width, 20)
    if len(text) > width:
        text = text[: width - 3] + "..."
    return text.replace("\t", " "), min(column, len(text))


def _where(source: SourceLine) -> str:
    return f"{source.file}:{source.line}"


def _origin(place: Place | None) -> Iterator[str]:
    if place is None:
        return
    where = f", {_where(place.source)}" if place.source else ""
    lines = [f"insn {place.insn}{where}: {place.text}"]
    if place.source and place.source.text.strip():
        lines.append(_shown(place.source, _TEXT_WIDTH)[0])
    yield from labelled("where from", lines)


def _path(rejection: Rejection) -> list[str]:
    """Return a line for each step, the refused one last."""
    if len(rejection.path) < 2:
        return []
    lines = [_step(place) for place in rejection.path]
    lines[-1] += "   <- refused here"
    if rejection.untested:
        lines.append(f"no branch on the way tested R{rejection.register}")
    return lines


def _step(place: Place) -> str:
    where = _where(place.source) if place.source else ""
    return f"insn {place.insn:<5} {where:<{_PLACE_WIDTH}} {place.text}".rstrip()


def _hot(rejection: Rejection) -> list[str]:
    return [
        f"{one.insns:>7} insns  {_where(one.source):<{_PLACE_WIDTH}} "
        f"{_shown(one.source, _TEXT_WIDTH - _PLACE_WIDTH - 18)[0]}".rstrip()
        for one in rejection.hot
    ]


def _kernel(rejection: Rejection) -> list[str]:
    """Return the kernel's own words: its line, and from Linux 7.3 on its report's sentences."""
    lines = rejection.message.split("\n") if rejection.message else []
    if rejection.kernel:
        lines += _wrapped(rejection.kernel.reason)
        lines += _wrapped(rejection.kernel.suggestion)
    return lines


def _who_may(rejection: Rejection) -> list[str]:
    return _wrapped(", ".join(rejection.who_may))[:3]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _TEXT_WIDTH, break_long_words=False) if text else []
