"""Start-up: `bpfctl -j link show` against an empty Python: `python -m tests.bench.start_up`."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bpfctl.kernel.attr import prog_load, raw_tracepoint_open
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import ProgType
from tests.bench.harness import compare, report

if TYPE_CHECKING:
    from collections.abc import Iterator

AIM_SECONDS_OVER_PYTHON = 0.080  # 90 ms where an empty Python takes 10 ms
LINKS = 5
RETURN_0 = bytes.fromhex("b7000000000000009500000000000000")


@contextmanager
def some_links() -> Iterator[None]:
    """Hold a few links, so that there is something to show."""
    with ExitStack() as stack:
        for number in range(LINKS):
            load = prog_load(
                prog_type=ProgType.RAW_TRACEPOINT,
                insns=RETURN_0,
                license="GPL",
                name=f"bench_{number}",
            )
            prog = stack.enter_context(bpf_fd(load))
            stack.enter_context(bpf_fd(raw_tracepoint_open("sched_process_exec", prog)))
        yield


def main() -> int:
    """Print the ratios; the status is 1 when an aim is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=11)
    rounds = options.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody starts uncompiled code twice
    commands = {
        "bpfctl": [sys.executable, "-m", "bpfctl", "-j", "link", "show"],
        "python": [sys.executable, "-c", "pass"],
        "bpftool": ["bpftool", "-j", "link", "show"],
    }
    with some_links():
        found = compare(commands, rounds)
    ours, python = found["bpfctl"], found["python"]
    print(report("link show, JSON", ours, found["bpftool"]))
    print(report("link show, JSON", ours, python))
    over = ours.seconds - python.seconds
    print(f"over an empty Python: {over * 1000:.0f} ms (aim {AIM_SECONDS_OVER_PYTHON * 1000:g} ms)")
    return int(over > AIM_SECONDS_OVER_PYTHON)


if __name__ == "__main__":
    sys.exit(main())
