"""`prog loadall` of a CO-RE object against bpftool: `python -m tests.bench.loadall`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.harness import Result, Run, measure, report

if TYPE_CHECKING:
    from collections.abc import Iterator

AIM_RATIO = 3.0
OBJECT = Path(__file__).parent.parent / "data" / "core.bpf.o"


@contextmanager
def own_bpffs() -> Iterator[Path]:
    """Mount a bpffs for the pins, and take it away with them."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "bpf", "bpfctl-bench", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def main() -> int:
    """Print the ratio; the status is 1 when the aim is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--object", type=Path, default=OBJECT)
    chosen = options.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody starts uncompiled code twice
    tools = {"bpfctl": [sys.executable, "-m", "bpfctl"], "bpftool": ["bpftool"]}
    with own_bpffs() as bpffs:
        runs: dict[str, list[Run]] = {name: [] for name in tools}
        for turn in range(chosen.rounds + 1):  # in turn, so that all meet the same load
            for name, tool in tools.items():
                target = f"{bpffs}/{name}{turn}"
                run = measure([*tool, "prog", "loadall", str(chosen.object), target])
                runs[name] += [run] if turn else []  # the first is not measured
    ours, theirs = (Result(name, tuple(runs[name])) for name in ("bpfctl", "bpftool"))
    print(report(f"prog loadall {chosen.object.name}", ours, theirs, AIM_RATIO))
    return int(ours.seconds > AIM_RATIO * theirs.seconds)


if __name__ == "__main__":
    sys.exit(main())
