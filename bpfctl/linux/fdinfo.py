"""What /proc/PID/fdinfo says of a descriptor: one `name:<tab>value` a line.

Source: proc_pid_fdinfo(5), seq_show() in fs/proc/fd.c (Linux 2.6.22).
"""

from __future__ import annotations

from pathlib import Path


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
    try:
        raw = Path(f"{proc}/{pid}/fdinfo/{number}").read_bytes()
    except OSError:
        return None
    return parse_fdinfo(raw.decode(errors="replace"))


def own_fdinfo(number: int) -> dict[str, str]:
    """Return what is said of a descriptor of this process; nothing where it cannot be read."""
    try:
        raw = Path(f"/proc/self/fdinfo/{number}").read_bytes()
    except OSError:
        return {}
    return parse_fdinfo(raw.decode(errors="replace"))
