"""Where the corpus lies: in the cache of tests.vm, or where $BPFCTL_CORPUS says."""

from __future__ import annotations

import os
from pathlib import Path

from tests.vm import newest_bpftool
from tests.vm.cache import cache

VARIABLE = "BPFCTL_CORPUS"


def corpus() -> Path:
    """Return the directory of the corpus; inside a machine of tests.vm it is another one."""
    told = os.environ.get(VARIABLE)
    return Path(told) if told else cache() / "corpus"


def objects() -> Path:
    """Return the directory of the objects: one below it for each origin."""
    return corpus() / "objects"


def bpftool() -> Path:
    """Return the program that bpfctl is compared with; its libraries lie beside it."""
    return corpus() / "bpftool" / newest_bpftool.NAME


def load_one() -> Path:
    """Return the program that loads one program with libbpf; it lies with bpftool's libraries."""
    return corpus() / "bpftool" / "load_one"


def work() -> Path:
    """Return the directory of what only the preparation needs: the compiler, the sources."""
    return cache() / "corpus-work"
