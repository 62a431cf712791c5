"""Which CPUs this machine may ever have: the slots of a per-CPU map value."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bpfctl.errors import PathError

POSSIBLE = "/sys/devices/system/cpu/possible"
ONLINE = "/sys/devices/system/cpu/online"
MAX_CPUS = 1 << 16  # far beyond CONFIG_NR_CPUS; bounds what a strange file makes us allocate


@cache
def possible_cpu_numbers() -> tuple[int, ...]:
    """The numbers of the possible CPUs, ascending; read once, for they never change.

    The value of a per-CPU map has one slot for each, in this order, with no slot for a number that
    is left out. Raises: PathError when sysfs does not say.
    Source: bpf_percpu_hash_copy() walks for_each_possible_cpu (kernel/bpf/hashtab.c, Linux 6.18).
    """
    try:
        return parse_cpu_list(Path(POSSIBLE).read_text())
    except (OSError, ValueError) as err:
        message = f"cannot tell which CPUs are possible: {err}"
        raise PathError(message, subject=POSSIBLE, code="possible-cpus-unknown") from err


def online_cpu_numbers() -> tuple[int, ...]:
    """The numbers of the CPUs that run, ascending. Raises: PathError when sysfs does not say."""
    try:
        return parse_cpu_list(Path(ONLINE).read_text())
    except (OSError, ValueError) as err:
        message = f"cannot tell which CPUs run: {err}"
        raise PathError(message, subject=ONLINE, code="online-cpus-unknown") from err


def possible_cpus() -> int:
    """How many CPUs are possible: the number of slots in a per-CPU map value."""
    return len(possible_cpu_numbers())


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """Read the kernel's list format ("0-3,8,10-11").

    Raises: ValueError for an empty or malformed list, or one beyond MAX_CPUS.
    """
    numbers: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        low, high = int(first), int(last if dash else first)
        if not 0 <= low <= high < MAX_CPUS:
            raise ValueError(f"no list of CPUs: {text.strip()!r}")
        numbers.update(range(low, high + 1))
    return tuple(sorted(numbers))


def online_nodes(path: str = "/sys/devices/system/node/online") -> tuple[int, ...]:
    """Return the NUMA nodes that memory can be taken from; node 0 alone where nothing tells."""
    try:
        return parse_cpu_list(Path(path).read_text())
    except (OSError, ValueError):  # a kernel without CONFIG_NUMA has no such file, and one node
        return (0,)
