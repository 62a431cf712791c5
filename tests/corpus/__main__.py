"""The command line: `python -m tests.corpus --help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.corpus import (
    elsewhere,
    judge,
    linked,
    options,
    packaged,
    places,
    reference,
    report,
    selftests,
    stream,
    subjects,
)
from tests.corpus.subjects import TOOLS
from tests.vm.errors import VmError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path

KEEP_EACH = 100  # results, so that those of a run that dies are not lost
WHOLES, PROGRAMS = "objects", "programs"


def main(words: Sequence[str]) -> int:
    """Run a command line and return the exit status."""
    asked = options.parser().parse_args(words)
    verbs = {"prepare": _prepare, "place": _place, "run": _run, "on": _on, "report": _report}
    try:
        return verbs[asked.verb](asked)
    except VmError as err:
        print(f"tests.corpus: {err}", file=sys.stderr)
        return 1


def _prepare(asked: argparse.Namespace) -> int:
    reference.prepare()
    packaged.prepare()
    selftests.prepare()
    linked.prepare()
    print(f"{len(subjects.names([]))} things to load in {places.objects()}")
    return 0


def _place(asked: argparse.Namespace) -> int:
    print(places.corpus())
    return 0


def _run(asked: argparse.Namespace) -> int:
    before = judge.read(asked.before or _results(asked))
    names = _names(asked, before)
    how = judge.How(asked.processes, asked.stream)
    verdicts = judge.run(names, asked.limit, before if asked.believe else {}, how)
    if asked.stream:
        for verdict in verdicts:
            stream.say(verdict)
        return 0
    done = judge.read(_results(asked)) if asked.disputed or asked.pattern else {}
    for verdict in verdicts:
        done[verdict["object"]] = verdict
        if len(done) % KEEP_EACH == 0:
            judge.write(_results(asked), done)
            print(f"{len(done)} done, the last {verdict['object']}", flush=True)
    judge.write(_results(asked), done)
    print("\n".join(report.table(done.values())))
    return 0


def _on(asked: argparse.Namespace) -> int:
    results = _results(asked)
    before = judge.read(results)
    names = _names(asked, before)
    if not asked.disputed and not asked.pattern:
        names = [name for name in names if name not in before]
    names.sort(key=_patience())
    how = elsewhere.Asked(asked.kernel, results, asked.limit, asked.machine_limit, asked.believe)
    left = elsewhere.run(names, how)
    done = judge.read(results)
    judge.write(results, done)
    print("\n".join(report.table(done.values())))
    if left:
        print(f"{len(left)} were not judged in time; the same command goes on with them")
    return 1 if left else 0


def _patience() -> Callable[[str], float]:
    """Return what tells the seconds that a subject took here: those of patience come last."""
    here = judge.read(_place_of(WHOLES, ""))
    took = {name: sum(one[tool]["seconds"] for tool in TOOLS) for name, one in here.items()}
    return lambda name: took.get(name.partition(":")[0], 0.0)


def _names(asked: argparse.Namespace, before: dict[str, judge.Verdict]) -> list[str]:
    """Return what the words ask for, given the results of before."""
    if asked.names:
        chosen: list[str] = asked.names.read_text().splitlines()
        return chosen
    names = subjects.names(asked.pattern)
    if asked.each:
        wholes = judge.read(_place_of(WHOLES, asked.kernel))
        names = list(subjects.programs(names, wholes))
    if asked.disputed:
        names = [name for name in names if name not in before or not report.alike(before[name])]
    return names


def _report(asked: argparse.Namespace) -> int:
    verdicts = list(judge.read(_results(asked)).values())
    print("\n".join(report.table(verdicts)))
    print("\n".join(report.lists(verdicts, everything=asked.all)))
    return 0


def _results(asked: argparse.Namespace) -> Path:
    chosen: Path | None = asked.results
    return chosen or _place_of(PROGRAMS if asked.each else WHOLES, asked.kernel)


def _place_of(what: str, series: str) -> Path:
    return places.corpus() / (f"{what}-{series}.jsonl" if series else f"{what}.jsonl")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
