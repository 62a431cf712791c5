"""Headers of all kernels of the matrix: `python -m tests.headers [--kernel 6.12]...`.

For each kernel: its types are read from its image, the header and the programs are compiled here,
and loaded there; see load.py.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.headers.build import build, thin
from tests.headers.images import image_types
from tests.headers.sources import CompilerError
from tests.vm import machine
from tests.vm.cache import SLOTS
from tests.vm.errors import VmError
from tests.vm.kernels import NAMES, kernel
from tests.vm.machine import Job

LIMIT_S = 600
LOAD = "python3 -m tests.headers.load /run/drive"


def main() -> int:
    """Check the headers of some kernels; the status is 1 when something is wrong with one."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kernel", choices=NAMES, action="append")
    chosen = options.parse_args().kernel or NAMES
    clang = shutil.which("clang")
    if clang is None:
        print("clang is not installed", file=sys.stderr)
        return 1
    with ThreadPoolExecutor(SLOTS) as pool:
        found = list(pool.map(lambda series: _check(series, clang), chosen))
    for series, text, wrong in zip(chosen, *zip(*found, strict=True), strict=True):
        print(f"== headers of Linux {series}: {'WRONG' if wrong else 'right'}\n{text}", flush=True)
    return int(any(wrong for _, wrong in found))


def _check(series: str, clang: str) -> tuple[str, bool]:
    """Check the header of a kernel; return what there is to say, and whether it is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        drive = place / "drive"
        drive.mkdir()
        try:
            types = image_types(kernel(series).image, place)
            counts = build(types, drive, clang, trampoline=True)
            thin(drive)
            done = _run(series, LOAD, place / "load", drive)
        except (CompilerError, VmError) as err:
            return str(err), True
        said = (place / "load.txt").read_text(errors="replace").rstrip()
        right = f"all {counts['declared']} names of bpftool's, {counts['layout']} sizes and offsets"
        return f"{right} are right\n{said}\n{done}".rstrip(), bool(done)


def _run(series: str, command: str, results: Path, drive: Path) -> str:
    """Run a command in a machine; return what went wrong."""
    with results.with_suffix(".txt").open("wb") as sink:
        ended = machine.run(Job(series, command, results, LIMIT_S, drive=drive), sink)
    return f"status {ended.status} {ended.complaint}".strip() if ended.status else ""


if __name__ == "__main__":
    sys.exit(main())
