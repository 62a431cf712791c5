"""The processes of this machine, as far as /proc shows them."""

from __future__ import annotations

import os
from pathlib import Path

from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Inode of /proc/self/ns/pid in the first PID namespace (PROC_PID_INIT_INO,
# include/linux/proc_ns.h, Linux 3.8).
_FIRST_PID_NAMESPACE: Final = 0xEFFFFFFC
_PF_KTHREAD: Final = 0x00200000


@plain
class Descriptors:
    """The open files of one process: what each number refers to ("anon_inode:bpf-map")."""

    pid: int
    targets: dict[int, str]


def process_ids(proc: str = "/proc") -> list[int]:
    """Return the ids of all processes that are visible, ascending; none without /proc."""
    try:
        return sorted(int(name) for name in os.listdir(proc) if name.isdecimal())
    except OSError:
        return []


def command_name(pid: int, proc: str = "/proc") -> str:
    """Return what a process calls itself (up to 15 bytes); "" when it is gone."""
    try:
        raw = Path(f"{proc}/{pid}/comm").read_bytes()
    except OSError:
        return ""
    return raw.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def descriptors(pid: int, proc: str = "/proc") -> Descriptors | None:
    """Return the open files of a process; None where we may not look.

    A process that is gone has none. Raises nothing.
    """
    folder = f"{proc}/{pid}/fd"
    try:
        names = os.listdir(folder)
    except PermissionError:
        return None
    except OSError:
        return Descriptors(pid, {})
    targets = {}
    for name in names:
        try:
            targets[int(name)] = os.readlink(f"{folder}/{name}")
        except (OSError, ValueError):
            continue
    return Descriptors(pid, targets)


def own_id(proc: str = "/proc") -> int | None:
    """Return the id this process has in a /proc; None where it does not show us.

    That differs from getpid(2) in a /proc of another PID namespace.
    """
    try:
        return int(os.readlink(f"{proc}/self"))
    except (OSError, ValueError):
        return None


def is_kernel_thread(pid: int, proc: str = "/proc") -> bool:
    """Say whether a process is the kernel's own: it has no files; False when it is gone.

    Source: PF_KTHREAD (include/linux/sched.h), in field 9 of proc_pid_stat(5).
    """
    try:
        stat = Path(f"{proc}/{pid}/stat").read_bytes()
        # The command, in parentheses, may have blanks and parentheses of its own.
        return bool(int(stat.rpartition(b")")[2].split()[6]) & _PF_KTHREAD)
    except (OSError, IndexError, ValueError):
        return False


def in_first_pid_namespace(link: str = "/proc/self/ns/pid") -> bool | None:
    """Say whether all processes of the machine can be visible; None where that is unknown."""
    try:
        return Path(link).stat().st_ino == _FIRST_PID_NAMESPACE
    except OSError:
        return None
