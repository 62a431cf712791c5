"""Trace events, as tracefs describes them.

Many machines mount tracefs at /sys/kernel/tracing, older ones only inside debugfs, containers
often nowhere. Then we mount one that nobody sees: it has no place in any directory tree.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path

from bpfctl.errors import NotFoundError, PathError, SyscallError, UsageError
from bpfctl.linux.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

_ID_BYTES: Final = 32


def tracefs_place() -> str | None:
    """Return where the tracing directory is mounted, by itself or inside debugfs."""
    for mount in mounts():
        if mount.kind == "tracefs":
            return mount.point
    for mount in mounts():
        if mount.kind == "debugfs" and Path(mount.point, "tracing", "events").is_dir():
            return f"{mount.point}/tracing"
    return None


@contextmanager
def tracefs() -> Iterator[int]:
    """Open the tracing directory, mounting a private one where none is; it is closed again.

    Raises: PathError when there is none and it cannot be mounted.
    """
    number = _open_tracefs()
    try:
        yield number
    finally:
        os.close(number)


def _open_tracefs() -> int:
    place = tracefs_place()
    try:
        if place is not None:
            return os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        from bpfctl.kernel.mount_private import mount_private

        return mount_private("tracefs").detach()
    except OSError as err:  # a SyscallError is one
        private = place is None and err.errno == errno.EPERM
        raise PathError(
            f"cannot read the kernel's trace events: {(err.strerror or str(err)).lower()}",
            code="no-tracefs",
            subject=place or "tracefs",
            evidence=["none is mounted; a private one takes CAP_SYS_ADMIN"] if private else (),
            remedy="mount -t tracefs tracefs /sys/kernel/tracing, as root",
        ) from err


def tracepoint_id(category: str, name: str) -> int:
    """Return the number that perf_event_open(2) takes for a trace event ("sched", "sched_switch").

    Raises: UsageError (no plain words), NotFoundError, PathError.
    """
    for word in (category, name):
        if not word or "/" in word or "\0" in word or word.startswith("."):
            raise UsageError(f'"{category}/{name}" is no trace event: expected CATEGORY/NAME')
    with tracefs() as root:
        text = _read_at(root, f"events/{category}/{name}/id")
        if text is None:
            raise _no_event(root, category, name)
    return int(text)


def _no_event(root: int, category: str, name: str) -> Exception:
    """Say which part of the name is wrong, and what there is instead."""
    names = _list_at(root, f"events/{category}")
    if names is None:
        kind, word, known = "category of trace events", category, _list_at(root, "events") or []
    else:
        kind, word, known = f"trace event in {category}", name, names
    return NotFoundError(
        f"this kernel has no {kind} called {word}",
        code="no-such-tracepoint",
        subject=f"tracepoint {category}/{name}",
        remedy=_nearest(word, known),
    )


def _nearest(word: str, known: list[str]) -> str | None:
    from difflib import get_close_matches

    near = get_close_matches(word[:64], known, n=3)
    return f"did you mean {' or '.join(near)}?" if near else None


def _read_at(root: int, path: str) -> str | None:
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=root)
    except OSError as err:
        if err.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise SyscallError(err.errno or errno.EIO, "open", f"read trace event {path}") from err
    try:
        return os.read(number, _ID_BYTES).decode().strip()
    finally:
        os.close(number)


def _list_at(root: int, path: str) -> list[str] | None:
    try:
        number = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root)
    except OSError:
        return None
    try:
        return sorted(entry.name for entry in os.scandir(number) if entry.is_dir())
    finally:
        os.close(number)
