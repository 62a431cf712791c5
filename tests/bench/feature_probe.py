"""`feature probe` against bpftool's: `python -m tests.bench.feature_probe` as root.

bpfctl asks about each attach type and about links too; on the screen it leaves out the helpers,
which bpftool always asks about, and in JSON both have them.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench.harness import compare, report
from tests.bench.loadall import installed

AIMS = {"screen": ([], 3.0), "JSON": (["-j"], 6.0)}


def main() -> int:
    """Print the ratios; the status is 1 when an aim is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    rounds = options.parse_args().rounds
    missed = False
    for name, (words, aim) in AIMS.items():
        tools = {"bpfctl": installed(), "bpftool": ["bpftool"]}
        commands = {tool: [*start, *words, "feature", "probe"] for tool, start in tools.items()}
        found = compare(commands, rounds)
        print(report(f"feature probe, {name}", found["bpfctl"], found["bpftool"], aim))
        missed |= found["bpfctl"].seconds > aim * found["bpftool"].seconds
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
