"""The kernel's functions that many probes at once (kprobe.multi) can be put on."""

from __future__ import annotations

import errno
import os
import re
from fnmatch import translate

from bpfctl.errors import SyscallError
from bpfctl.linux.tracefs import tracefs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

_CHUNK_BYTES: Final = 1 << 20


def functions_matching(pattern: str, symbols: str = "/proc/kallsyms") -> dict[int, str]:
    """Return addresses and names of the traceable functions that a pattern with `*`, `?` means.

    Before Linux 6.5 the kernel lists only names; addresses then are those of all symbols of a
    name, and none are found without CAP_SYSLOG.
    Raises: PathError (no tracefs), SyscallError.
    Source: available_filter_functions_addrs, kernel/trace/ftrace.c, Linux 6.5.
    """
    matches = re.compile(translate(pattern).encode()).match
    with tracefs() as root:
        lines = _lines(root, "available_filter_functions_addrs")
        if lines is not None:
            return _with_addresses(lines, matches)
        names = _lines(root, "available_filter_functions") or iter(())
        wanted = {name for line in names if matches(name := line.split()[0])}
    return _addresses(wanted, symbols)


def _with_addresses(lines: Iterator[bytes], matches: Callable[[bytes], object]) -> dict[int, str]:
    found = {}
    for line in lines:
        address, name, *_ = line.split()
        if matches(name):
            found[int(address, 16)] = name.decode("utf-8", "replace")
    return found


def _addresses(names: set[bytes], path: str) -> dict[int, str]:
    """Find the addresses of functions by one pass over all symbols."""
    found = {}
    with open(path, "rb") as lines:
        for line in lines:
            address, kind, name = line.split()[:3]
            if kind in b"tT" and name in names and (number := int(address, 16)):
                found[number] = name.decode("utf-8", "replace")
    return found


def _lines(root: int, path: str) -> Iterator[bytes] | None:
    """Yield the lines of a file of tracefs; None where the kernel does not have it."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=root)
    except OSError as err:
        if err.errno == errno.ENOENT:
            return None
        raise SyscallError(err.errno or errno.EIO, "open", f"read {path} of tracefs") from err
    return _read(number)


def _read(number: int) -> Iterator[bytes]:
    with open(number, "rb", buffering=_CHUNK_BYTES) as file:
        for line in file:
            if line.strip():
                yield line
