"""`check` of a small object for one kernel and for many: `python -m tests.bench.check`."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from bpfctl.objects.btf import KERNEL_FILE
from tests.bench.harness import measure
from tests.bench.loadall import SMALL, installed

AIM_SECONDS = 0.5
FEW, MANY = 5, 50
# How much more a kernel may cost among many than among few; the rest is noise.
AIM_GROWTH = 1.3


def median(words: list[str], rounds: int) -> tuple[float, float]:
    """The median wall-clock and processor seconds of a command."""
    runs = [measure([*installed(), "check", str(SMALL), *words]) for _ in range(rounds)]
    return statistics.median(one.seconds for one in runs), statistics.median(
        one.cpu_seconds for one in runs
    )


def kernels(folder: Path, count: int) -> list[str]:
    """As many kernels as wanted: the running one's types under many names."""
    place = folder / str(count)
    place.mkdir()
    for number in range(count):
        (place / f"kernel{number}").symlink_to(KERNEL_FILE)
    return ["--btf", str(place)]


def main() -> int:
    """Print times and what a kernel costs; the status is 1 when an aim is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody starts uncompiled code twice
    seconds, cpu = median([], rounds)
    print(f"check {SMALL.name}: {seconds:.3f} s (aim {AIM_SECONDS:g}), processor {cpu:.3f} s")
    with tempfile.TemporaryDirectory() as folder:
        cpus = [median(kernels(Path(folder), n), rounds)[1] for n in (1, FEW, MANY)]
    few, many = (cpus[1] - cpus[0]) / (FEW - 1), (cpus[2] - cpus[0]) / (MANY - 1)
    print(
        f"check {SMALL.name} for {MANY} kernels: processor {cpus[2]:.2f} s, {many * 1000:.0f} ms a"
        f" kernel, {many / few:.2f} times what one of {FEW} costs (aim {AIM_GROWTH:g})"
    )
    return int(seconds > AIM_SECONDS or many > AIM_GROWTH * few)


if __name__ == "__main__":
    sys.exit(main())
