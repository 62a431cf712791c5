"""The command line: `python -m tests.corpus --help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.corpus import (
    judge,
    linked,
    packaged,
    places,
    reference,
    report,
    selftests,
    subjects,
)
from tests.vm.errors import VmError

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT_S = 60.0
KEEP_EACH = 100  # results, so that those of a run that dies are not lost
WHOLES, PROGRAMS = "objects.jsonl", "programs.jsonl"
EPILOG = """
examples:
  python -m tests.corpus prepare
  python -m tests.corpus run
  python -m tests.corpus run --disputed --believe test_map_in_map xdp
  python -m tests.vm run --kernel 6.12 --drive "$(python -m tests.corpus place)" --limit 5400 -- \\
    'BPFCTL_CORPUS=/run/drive python -m tests.corpus run --results $RESULTS/corpus.jsonl'
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m tests.corpus",
        description="Load BPF objects nobody here wrote with bpfctl and bpftool, and compare.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("prepare", help="fetch and compile what is missing; needs root")
    verbs.add_parser("place", help="print where the corpus is")
    run = verbs.add_parser("run", help="load every object with both; needs root")
    run.add_argument("--limit", type=float, default=LIMIT_S, metavar="SECONDS", help="for each")
    run.add_argument(
        "--disputed", action="store_true", help="only objects that both did not load alike before"
    )
    run.add_argument("--believe", action="store_true", help="take what bpftool did before")
    run.add_argument("--before", type=Path, metavar="FILE", help="results of an earlier run")
    run.add_argument("pattern", nargs="*", help="a part of the names of the objects wanted")
    told = verbs.add_parser("report", help="print the results of the last run")
    told.add_argument("--all", action="store_true", help="every object that neither loads")
    for verb in (run, told):
        verb.add_argument(
            "--each",
            action="store_true",
            help="each program alone, with libbpf, of objects that were not loaded whole by both",
        )
        verb.add_argument("--results", type=Path, help="the file; default: in the corpus")
    return top


def main(words: Sequence[str]) -> int:
    """Run a command line and return the exit status."""
    asked = parser().parse_args(words)
    verbs = {"prepare": _prepare, "place": _place, "run": _run, "report": _report}
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
    names = subjects.names(asked.pattern)
    if asked.each:
        names = list(subjects.programs(names, judge.read(places.corpus() / WHOLES)))
    before = judge.read(asked.before or _results(asked))
    if asked.disputed:
        names = [name for name in names if name not in before or not report.alike(before[name])]
    done = judge.read(_results(asked)) if asked.disputed or asked.pattern else {}
    for verdict in judge.run(names, asked.limit, before if asked.believe else {}):
        done[verdict["object"]] = verdict
        if len(done) % KEEP_EACH == 0:
            judge.write(_results(asked), done)
            print(f"{len(done)} done, the last {verdict['object']}", flush=True)
    judge.write(_results(asked), done)
    print("\n".join(report.table(done.values())))
    return 0


def _report(asked: argparse.Namespace) -> int:
    verdicts = list(judge.read(_results(asked)).values())
    print("\n".join(report.table(verdicts)))
    print("\n".join(report.lists(verdicts, everything=asked.all)))
    return 0


def _results(asked: argparse.Namespace) -> Path:
    chosen: Path | None = asked.results
    return chosen or places.corpus() / (PROGRAMS if asked.each else WHOLES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
