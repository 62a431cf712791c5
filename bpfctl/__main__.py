"""The program: `bpfctl`, and `python -m bpfctl`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of this process and return its exit status."""
    from bpfctl.commands.main import main as run

    status: int = run(sys.argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())
