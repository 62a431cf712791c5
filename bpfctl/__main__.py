"""The program: `bpfctl`, and `python -m bpfctl`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of this process and return its exit status."""
    from bpfctl.commands.main import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
