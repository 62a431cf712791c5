"""What /proc/PID/fdinfo says of a descriptor: one `name:<tab>value` a line.

Source: proc_pid_fdinfo(5), seq_show() in fs/proc/fd.c (Linux 2.6.22).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_MOST_BYTES: Final = 64 * 1024  # those of BPF objects have a few hundred


def parse_fdinfo(text: str) -> dict[str, str]:
    """Return the values by their names; where a name comes twice, the first counts."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    return fields


def read_fdinfo(pid: int, number: int, proc: str = "/proc") -> dict[str, str] | None:
    """Return what is said of a process's descriptor, or None when it is gone or not ours to see."""
    raw = _read(f"{proc}/{pid}/fdinfo/{number}")
    return None if raw is None else parse_fdinfo(raw.decode(errors="replace"))


def own_fdinfo(number: int) -> dict[str, str]:
    """Return what is said of a descriptor of this process; nothing where it cannot be read."""
    raw = _read(f"/proc/self/fdinfo/{number}")
    return {} if raw is None else parse_fdinfo(raw.decode(errors="replace"))


def _read(path: str) -> bytes | None:
    """Read such a file whole, which one read(2) does; `open` and pathlib take twice the time."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, _MOST_BYTES)
    except OSError:
        return None
    finally:
        os.close(fd)
