"""The results as text: a table of counts, and the objects that the loaders disagree on."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from tests.corpus.compare import differences
from tests.corpus.loaders import LOADED, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BOTH, DIFFERENT = "both, the same", "both, but different"
THEIRS, OURS, NEITHER = "only bpftool", "only bpfctl", "neither"
CLASSES = (BOTH, DIFFERENT, THEIRS, OURS, NEITHER)
EXAMPLES, WIDTH = 6, 220
Verdict = dict[str, Any]


def class_of(verdict: Verdict) -> str:
    """Return which of the lists an object belongs to."""
    ours, theirs = (_took(verdict[tool]) for tool in ("bpfctl", "bpftool"))
    if ours and theirs:
        return DIFFERENT if any(differences(verdict)) else BOTH
    if not ours and not theirs:
        return NEITHER
    return OURS if ours else THEIRS


def alike(verdict: Verdict) -> bool:
    """Say whether both loaded an object, and the same of it."""
    return class_of(verdict) == BOTH


def _took(answer: Verdict) -> bool:
    """Say whether a loader took the object; one without a program to load has none to refuse."""
    return answer["outcome"] in {LOADED, NOTHING}


def table(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Yield the counts, a line for each origin and one for all."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for verdict in verdicts:
        for row in (verdict["object"].partition("/")[0], "all"):
            counts[row][class_of(verdict)] += 1
    yield "".join([f"{'':24}", *(f"{name:>21}" for name in CLASSES)])
    for row in sorted(counts, key=lambda name: (name == "all", name)):
        yield "".join([f"{row:24}", *(f"{counts[row][name]:>21}" for name in CLASSES)])


def lists(verdicts: Iterable[Verdict], *, everything: bool = False) -> Iterator[str]:
    """Yield each disagreement, and what neither loads, grouped by what bpfctl said."""
    by_class = defaultdict(list)
    for verdict in verdicts:
        by_class[class_of(verdict)].append(verdict)
    yield from _different(by_class[DIFFERENT])
    for name in (THEIRS, OURS, NEITHER):
        yield from _grouped(name, by_class[name], everything=everything or name == THEIRS)


def _different(verdicts: list[Verdict]) -> Iterator[str]:
    yield f"\n## {DIFFERENT}: {len(verdicts)}"
    for verdict in verdicts:
        yield f"- {verdict['object']}"
        yield from (f"    {line[:800]}" for line in differences(verdict))


def _grouped(title: str, verdicts: list[Verdict], *, everything: bool) -> Iterator[str]:
    speaker = "bpftool" if title == OURS else "bpfctl"
    groups = defaultdict(list)
    for verdict in verdicts:
        groups[_reason(verdict[speaker])].append(verdict)
    yield f"\n## {title}: {len(verdicts)}"
    for reason, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        yield f"\n{len(members)} x {speaker}: {reason}"
        for one in members if everything else members[:EXAMPLES]:
            yield f"    {one['object']}: {_line(one[speaker]['text'])}"


def _line(text: str) -> str:
    return " ".join(text.split())[:WIDTH]


def _reason(answer: Verdict) -> str:
    """Return what objects that failed alike have in common: a code, or words without names."""
    if answer["outcome"] != "refused":
        return f"{answer['outcome']} {answer['code']}"
    if answer["code"]:
        return str(answer["code"])
    return re.sub(r"'[^']*'|[\w/.-]*\d[\w/.-]*", "*", _line(answer["text"]))[:90]
