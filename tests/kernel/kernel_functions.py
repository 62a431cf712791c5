"""Functions of the running kernel that have something the matter with them.

Which those are differs from one build to the next, so tests look for them.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from bpfctl.btf.types import Kind
from bpfctl.linux.tracefs import tracefs
from bpfctl.objects.btf import kernel_btf

_PLAIN = re.compile(r"[A-Za-z_]\w*")


@cache
def typed() -> frozenset[str]:
    """Return the functions that the kernel has types of."""
    btf = kernel_btf()
    found = (number for number in range(1, len(btf)) if btf.kind_number(number) == Kind.FUNC)
    return frozenset(btf.name(number) for number in found)


@cache
def symbols() -> Counter[str]:
    """Count the symbols of each name."""
    lines = Path("/proc/kallsyms").read_text().splitlines()
    return Counter(line.split()[2] for line in lines)


@cache
def functions() -> frozenset[str]:
    """Return the names of functions that are there once, and belong to the kernel itself."""
    lines = (line.split() for line in Path("/proc/kallsyms").read_text().splitlines())
    return frozenset(
        words[2]
        for words in lines
        if words[1] in "tT" and symbols()[words[2]] == 1 and not words[3:]
    )


@cache
def copies() -> dict[str, list[str]]:
    """Return, by the names of functions that are not there, the copies a compiler made of them."""
    found = defaultdict(list)
    for name in symbols():
        base, dot, _ = name.partition(".")
        if dot and not symbols()[base] and _PLAIN.fullmatch(base):
            found[base].append(name)
    return dict(found)


@cache
def traceable() -> frozenset[str]:
    """Return the functions that ftrace lists."""
    with tracefs() as root:
        number = os.open("available_filter_functions", os.O_RDONLY, dir_fd=root)
        with os.fdopen(number) as lines:
            return frozenset(line.split()[0] for line in lines)


def one_of(names: set[str] | frozenset[str], what: str) -> str:
    """Choose the first of some names, or skip the test."""
    if not names:
        pytest.skip(f"this kernel has no function {what}")
    return min(names)
