"""The program: `bpfctl`, and `python -m bpfctl`."""

from __future__ import annotations

import gc
import sys

# A command makes objects and ends; looking for cycles among them costs more than they do.
_GC_THRESHOLD = 100_000


def main() -> int:
    """Run the command line of this process and return its exit status."""
    gc.set_threshold(_GC_THRESHOLD)
    try:
        from bpfctl.commands.main import main as run

        status: int = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were still being imported
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
