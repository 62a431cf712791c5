"""Where the corpus lies: in the cache of tests.vm, or where $BPFCTL_CORPUS says."""

from __future__ import annotations

import os
from pathlib import Path

from tests.vm import newest_bpftool
from tests.vm.cache import cache

VARIABLE = "BPFCTL_CORPUS"
LOAD_ONE = "load_one"  # loads one program with libbpf; it lies with bpftool's libraries


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


def bpftool_words() -> list[str]:
    """Return how to start it: without the shell of its launcher, which is slow where emulated."""
    return _with_libraries("bpftool")


def load_one_words() -> list[str]:
    """Return how to start what loads one program with the same library."""
    return _with_libraries(LOAD_ONE)


def _with_libraries(program: str) -> list[str]:
    place = corpus() / "bpftool"
    return [str(place / newest_bpftool.LOADER), "--library-path", str(place), str(place / program)]


def work() -> Path:
    """Return the directory of what only the preparation needs: the compiler, the sources."""
    return cache() / "corpus-work"
