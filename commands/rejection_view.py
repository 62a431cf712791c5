"""A rejection by the verifier in at most 25 lines: the rule, the place, the way, the remedy."""

from __future__ import annotations

import re
import textwrap

from .blocks import LABEL_WIDTH, labelled
from .clean import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.errors import VerifierError
    from bpfctl.rejected import Place, Rejection, SourceLine

LINES: Final = 25
_BRANCH: Final = re.compile(r"if (.+) goto \S+: (not )?taken$")
_WIDTH: Final = 100
_TEXT_WIDTH: Final = _WIDTH - LABEL_WIDTH - 3
_PLACE_WIDTH: Final = 28  # of "file:line" in a table of places


def explanation(err: VerifierError, rejection: Rejection) -> list[str]:
    """Return the lines between the first and the log: where, where from, the way, what to change.

    Of the way the oldest steps go when all would be more than a screen.
    """
    before = [*_place(err, rejection), *_origin(rejection.origin)]
    hot = list(labelled("hottest", _hot(rejection)))
    after = [
        *labelled("may use it", _who_may(rejection)),
        *labelled("evidence", _some(_other_evidence(err, rejection), 2)),
        *labelled("could be", _some(err.candidates, 1)),
        *labelled("change", _wrapped(err.remedy or "")[:3]),
    ]
    # 5: headline, log, what it lost, code, and that nothing stayed
    room = LINES - 5 - len(before) - len(hot) - len(after)
    kernel = _some(_kernel(rejection), max(room - 1, 1))
    path = _path(rejection)[-max(room - len(kernel), 1) :]
    return [*before, *labelled("path", path), *hot, *labelled("kernel", kernel), *after]


def _place(err: VerifierError, rejection: Rejection) -> Iterator[str]:
    """Yield the source line, and below it what is done there."""
    if rejection.source is None:
        if err.lost_end:
            yield from labelled("at", ["unknown: the log ends before (--log-size BYTES for more)"])
        elif rejection.insn is not None:
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
    """Return a line for each step in C, the refused one last; what follows on a line is one."""
    lines: list[str] = []
    shown: Place | None = None
    for place in rejection.path:
        if shown and place.source and shown.source and place.source[:2] == shown.source[:2]:
            lines.pop()
        lines.append(_step(place))
        shown = place
    if len(lines) < 2:  # the refused one alone is no way
        return []
    lines[-1] += "   <- refused here"
    if rejection.untested:
        lines.append(f"no branch on the way tested R{rejection.register}")
    return lines


def _step(place: Place) -> str:
    if place.source is None or not place.source.text.strip():
        return f"insn {place.insn:<5} {place.text}"
    found = _BRANCH.match(place.text)  # the C condition may be the other way round
    branch = f"   [{found[1]}: {'no' if found[2] else 'yes'}]" if found else ""
    text = _shown(place.source, _TEXT_WIDTH - _PLACE_WIDTH - 12)[0]
    return f"insn {place.insn:<5} {_where(place.source):<{_PLACE_WIDTH}} {text}{branch}"


def _hot(rejection: Rejection) -> list[str]:
    return [
        f"{one.share:>4.0%} of the walk  {_where(one.source):<{_PLACE_WIDTH}} "
        f"{_shown(one.source, _TEXT_WIDTH - _PLACE_WIDTH - 18)[0]}".rstrip()
        for one in rejection.hot
    ]


def _kernel(rejection: Rejection) -> list[str]:
    """Return the kernel's own words: its line, and from Linux 7.3 on its report's sentences."""
    lines = rejection.message.split("\n") if rejection.message else []
    if rejection.kernel:
        lines += _some(_wrapped(rejection.kernel.reason), 4)
        lines += _some(_wrapped(rejection.kernel.suggestion), 2)
    return lines


def _who_may(rejection: Rejection) -> list[str]:
    return _some(_wrapped(", ".join(rejection.who_may)), 2)


def _other_evidence(err: VerifierError, rejection: Rejection) -> list[str]:
    """Return what the loader has to say, beside what is shown in other words."""
    return [one for one in err.evidence if one not in rejection.evidence]


def _some(lines: list[str], count: int) -> list[str]:
    """Return the first lines, and say when there are more."""
    return lines if len(lines) <= count else [*lines[: count - 1], f"{lines[count - 1]} ..."]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _TEXT_WIDTH, break_long_words=False) if text else []
