"""The program: `bpfctl`, and `python -m bpfctl`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of this process and return its exit status."""
    try:
        from bpfctl.commands.main import main as run

        status: int = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were still being imported
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
