"""The words of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.vm.kernels import NAMES

LIMIT_S = 60.0
ELSEWHERE_LIMIT_S = 240.0  # emulated machines are slow
MACHINE_S = 7200.0
EPILOG = """
examples:
  python -m tests.corpus prepare
  python -m tests.corpus run
  python -m tests.corpus run --disputed --believe test_map_in_map xdp
  python -m tests.corpus on --kernel 5.10           # an hour or two; again: goes on where it ended
  python -m tests.corpus on --kernel 5.10 --disputed --believe
  python -m tests.corpus report --kernel 5.10
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
    run.add_argument("--before", type=Path, metavar="FILE", help="results of an earlier run")
    run.add_argument("--stream", action="store_true", help="print verdicts, keep none")
    run.add_argument("--processes", type=int, default=2, help="how many judge at once")
    on = verbs.add_parser("on", help="load what has no result yet on a kernel in a machine")
    on.add_argument("--machine-limit", type=float, default=MACHINE_S, metavar="SECONDS")
    told = verbs.add_parser("report", help="print the results of the last run")
    told.add_argument("--all", action="store_true", help="every object that neither loads")
    _wanted(run, LIMIT_S)
    _wanted(on, ELSEWHERE_LIMIT_S)
    for verb in (run, on, told):
        _each(verb)
    for verb in (run, told):
        verb.add_argument("--results", type=Path, help="the file; default: in the corpus")
    on.add_argument("--kernel", choices=NAMES, required=True)
    told.add_argument("--kernel", choices=NAMES, default="", help="where; default: here")
    run.set_defaults(kernel="")
    on.set_defaults(results=None)  # the machine has the corpus, and finds them there
    return top


def _wanted(verb: argparse.ArgumentParser, limit_s: float) -> None:
    verb.add_argument("--limit", type=float, default=limit_s, metavar="SECONDS", help="for each")
    verb.add_argument(
        "--disputed", action="store_true", help="only objects that both did not load alike before"
    )
    verb.add_argument("--names", type=Path, metavar="FILE", help="judge these, a line each")
    verb.add_argument("--believe", action="store_true", help="take what bpftool did before")
    verb.add_argument("pattern", nargs="*", help="a part of the names of the objects wanted")


def _each(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--each",
        action="store_true",
        help="each program alone, with libbpf, of objects that were not loaded whole by both",
    )
