"""The kernel's types as C against bpftool: `python -m tests.bench.btf_dump [--rounds N]`."""

from __future__ import annotations

import argparse
import sys

from tests.bench.harness import compare, report

AIM_RATIO = 5.0
WORDS = ("btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c")


def main() -> int:
    """Print the ratio; the status is 1 when the aim is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    commands = {
        "bpfctl": [sys.executable, "-m", "bpfctl", *WORDS],
        "bpftool": ["bpftool", *WORDS],
    }
    found = compare(commands, rounds)
    print(report("btf dump, C", found["bpfctl"], found["bpftool"], AIM_RATIO), flush=True)
    return int(found["bpfctl"].cpu_seconds > AIM_RATIO * found["bpftool"].cpu_seconds)


if __name__ == "__main__":
    sys.exit(main())
