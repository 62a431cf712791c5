"""The first root of a machine: it loads the disks' drivers, mounts the disks, and goes there."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from tests.vm.cpio import Entry, archive

if TYPE_CHECKING:
    from tests.vm.kernels import Kernel

INIT = Path(__file__).parent / "guest" / "init"
DIRECTORIES = ("bin", "dev", "early", "proc", "root", "sys")


def build(kernel: Kernel, busybox: Path) -> bytes:
    """Return the compressed archive for a kernel."""
    entries = [Entry(name) for name in DIRECTORIES]
    entries.append(Entry("init", INIT.read_bytes()))
    entries.append(Entry("bin/busybox", busybox.read_bytes()))
    entries += [
        Entry(f"early/{path.name}", path.read_bytes()) for path in sorted(kernel.early.iterdir())
    ]
    return gzip.compress(archive(entries), 1)
