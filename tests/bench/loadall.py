"""`prog loadall` of CO-RE objects against bpftool: `python -m tests.bench.loadall [--profile]`."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.objects.btf_index import SWITCH
from tests.bench import large
from tests.bench.harness import Result, Run, measure, report
from tests.corpus import places

if TYPE_CHECKING:
    from collections.abc import Iterator

AIM_RATIO = 2.0
# The largest of the kernel's selftests that a kernel of today takes, and what is aimed at with it.
SELFTEST = "selftests-6.12/pyperf100.o"
SELFTEST_RATIO = 1.3
SMALL = Path(__file__).parent.parent / "data" / "core.bpf.o"
PHASES = Path(__file__).parent / "phases.py"
# Python's own start is measured by itself: nothing inside of it can tell.
INTERPRETER = [sys.executable, "-c", "pass"]


@contextmanager
def own_bpffs() -> Iterator[Path]:
    """Mount a bpffs for the pins, and take it away with them."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "bpf", "bpfctl-bench", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def installed() -> list[str]:
    """The command as people run it: the script beside this Python, if there is one."""
    script = Path(sys.executable).with_name("bpfctl")
    return [str(script)] if script.exists() else [sys.executable, "-m", "bpfctl"]


def compare(obj: Path, rounds: int) -> tuple[Result, Result]:
    """Load an object with both tools, in turn, so that all meet the same load."""
    tools = {"bpfctl": installed(), "bpftool": ["bpftool"]}
    runs: dict[str, list[Run]] = {name: [] for name in tools}
    with own_bpffs() as bpffs:
        for turn in range(rounds + 1):
            for name, tool in tools.items():
                run = measure([*tool, "prog", "loadall", str(obj), f"{bpffs}/{name}{turn}"])
                runs[name] += [run] if turn else []  # the first is not measured
    ours, theirs = (Result(name, tuple(runs[name])) for name in ("bpfctl", "bpftool"))
    return ours, theirs


def profile(obj: Path, rounds: int) -> dict[str, float]:
    """The median milliseconds of each phase of a load, the interpreter's start first."""
    start = statistics.median(measure(INTERPRETER).seconds for _ in range(rounds))
    found: dict[str, list[float]] = {}
    with own_bpffs() as bpffs:
        for turn in range(rounds):
            words = ["prog", "loadall", str(obj), f"{bpffs}/{turn}"]
            done = subprocess.run(
                [sys.executable, str(PHASES), *words], check=True, stdout=subprocess.PIPE
            )
            for phase, spent in json.loads(done.stdout).items():
                found.setdefault(phase, []).append(spent)
    medians = {phase: statistics.median(spent) for phase, spent in found.items()}
    return {"interpreter": start * 1000, **medians}


def show(phases: dict[str, float]) -> None:
    total = sum(phases.values())
    for phase, spent in sorted(phases.items(), key=lambda one: -one[1]):
        print(f"    {phase:<20} {spent:7.1f} ms  {spent / total:5.1%}")


def selftest() -> dict[Path, float]:
    """The largest selftest, if somebody prepared the corpus (`python -m tests.corpus prepare`).

    Raises: FileNotFoundError in CI, where nothing is passed over in silence.
    """
    path = places.objects() / SELFTEST
    if path.exists():
        return {path: SELFTEST_RATIO}
    if os.environ.get("CI"):
        raise FileNotFoundError(f"{path}: python -m tests.corpus prepare makes it")
    print(f"without {SELFTEST}: python -m tests.corpus prepare makes it")
    return {}


def main() -> int:
    """Print the ratios; the status is 1 when the aim is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--object", type=Path, help="this one only")
    options.add_argument("--profile", action="store_true", help="show where the time goes")
    options.add_argument("--no-index", action="store_true", help="read the kernel's types anew")
    chosen = options.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody starts uncompiled code twice
    if chosen.no_index:
        os.environ[SWITCH] = "1"
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        if chosen.object:
            aims = {chosen.object: AIM_RATIO}
        else:
            aims = dict.fromkeys([SMALL, large.build(Path(folder))], AIM_RATIO) | selftest()
        for obj, aim in aims.items():
            ours, theirs = compare(obj, chosen.rounds)
            print(report(f"prog loadall {obj.name}", ours, theirs, aim), flush=True)
            missed |= ours.seconds > aim * theirs.seconds
            if chosen.profile:
                show(profile(obj, chosen.rounds))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
