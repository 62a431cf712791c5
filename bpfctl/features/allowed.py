"""Which helper functions programs of a section may call, as kernels answered that were asked.

The table lists what was refused, by section and kernel: bpfctl/data/helpers.txt, which
`python -m tests.tools.helper_answers` makes. Between two kernels that were asked nothing is known
but what both say. It knows nothing of functions that no program of an asked kernel may call, for
lack of an option; of those that depend on what a program is attached to; and of sections whose
programs did not load there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import bpfctl.data
from bpfctl.features.age import after
from bpfctl.linux.version import parse_release
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.features.age import Age

TABLE: Final = "helpers.txt"


class Verdict(NamedTuple):
    """Whether programs may call a helper; None where it cannot be told, and why not."""

    may: bool | None
    why: str = ""


NOTHING_KNOWN: Final = Verdict(may=True)


def may_call(section: str, helper: int, age: Age) -> Verdict:
    """Judge for programs of a section, on a kernel of some age, that lists the helper."""
    refused = {kernel: helper in numbers for kernel, numbers in _table().get(section, {}).items()}
    older = [kernel for kernel in refused if age.has(kernel)]
    newer = [kernel for kernel in refused if _is_up_to(age, kernel)]
    low, high = older[-1] if older else "", newer[0] if newer else ""
    if not low and not high:
        return NOTHING_KNOWN
    words = f"programs of {section} may not call it"
    if refused.get(low, True) and refused.get(high):
        return Verdict(may=False, why=words)
    if refused.get(low):
        return Verdict(may=None, why=f"{words} on Linux {low}{_later(refused, low)}")
    if refused.get(high):
        return Verdict(may=None, why=f"{words} any more on Linux {high}, but may on {low}")
    return NOTHING_KNOWN


def _later(refused: dict[str, bool], low: str) -> str:
    kernels = list(refused)
    allowed = (one for one in kernels[kernels.index(low) + 1 :] if not refused[one])
    first = next(allowed, None)
    return f", but may on {first}" if first else ""


def _is_up_to(age: Age, kernel: str) -> bool:
    """Whether a kernel is certainly no newer than one that was asked."""
    return bool(age.below) and parse_release(age.below) <= parse_release(after(kernel))


@cache
def _table() -> dict[str, dict[str, frozenset[int]]]:
    """The helpers refused, by section and kernel, kernels ascending."""
    text = (Path(bpfctl.data.__path__[0]) / TABLE).read_text()
    found: dict[str, dict[str, frozenset[int]]] = {}
    sections: list[str] = []
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        if not line.startswith(" "):
            sections = line.split()
            continue
        kernel, *words = line.split()
        numbers = frozenset(_numbers(words))
        for one in sections:
            found.setdefault(one, {})[kernel] = numbers
    return found


def _numbers(words: list[str]) -> Iterator[int]:
    for word in words:
        first, _, last = word.partition("-")
        yield from range(int(first), int(last or first) + 1)
