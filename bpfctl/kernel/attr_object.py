"""Requests about any object: pins, ids, information."""

from __future__ import annotations

from bpfctl.kernel.libc import ffi
from bpfctl.kernel.request import Attr, Descriptor, descriptor
from bpfctl.kernel.uapi import Cmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def obj_pin(path: str, fd: Descriptor) -> Attr:
    """Ask that a program, map or link stays alive under a path of a bpffs."""
    attr = Attr(Cmd.OBJ_PIN, f"pin at {path}")
    attr.set(pathname=attr.text(path), bpf_fd=descriptor(fd))
    return attr


def obj_get(path: str, flags: int = 0) -> Attr:
    """Ask for a descriptor of what is pinned at a path."""
    attr = Attr(Cmd.OBJ_GET, f"open {path}")
    attr.set(pathname=attr.text(path), file_flags=flags)
    return attr


class NextId(Attr):
    """A request for the id after another; `next_id` after the call is the answer."""

    @property
    def next_id(self) -> int:
        """Return the id that was found."""
        return int(self.union.next_id)


def get_next_id(cmd: Cmd, start: int) -> NextId:
    """Ask for the lowest id above `start` (PROG_GET_NEXT_ID and its like); ENOENT at the end."""
    attr = NextId(cmd, "list ids", through="next_id")
    attr.set(start_id=start)
    return attr


def get_fd_by_id(cmd: Cmd, object_id: int, *, doing: str = "") -> Attr:
    """Ask for a descriptor of the object with an id (PROG_GET_FD_BY_ID and its like)."""
    attr = Attr(cmd, doing or f"open id {object_id}")
    attr.set(start_id=object_id)
    return attr


class ObjInfo(Attr):
    """A request for information; `filled` after the call is how many bytes the kernel knows."""

    @property
    def filled(self) -> int:
        """Return how many bytes of our struct the kernel wrote."""
        return int(self.union.info.info_len)


def obj_info(fd: Descriptor, struct: Any) -> ObjInfo:
    """Ask for what the kernel knows of an object, written into a cffi struct pointer."""
    attr = ObjInfo(Cmd.OBJ_GET_INFO_BY_FD, "read information")
    size = ffi.sizeof(ffi.typeof(struct).item)
    attr.set("info", bpf_fd=descriptor(fd), info_len=size, info=attr.pointer(struct))
    return attr


def enable_stats(kind: int) -> Attr:
    """Ask that run statistics are kept for as long as the returned descriptor is open."""
    attr = Attr(Cmd.ENABLE_STATS, "enable run statistics")
    attr.set("enable_stats", type=kind)
    return attr


class TaskFdQuery(Attr):
    """A question about a descriptor of a process; `prog_id` after the call is the answer."""

    @property
    def prog_id(self) -> int:
        """Return the id of the program that runs on the event behind the descriptor."""
        return int(self.union.task_fd_query.prog_id)


def task_fd_query(pid: int, number: int, name: bytearray) -> TaskFdQuery:
    """Ask which program runs on a perf event that a process has open, and what event it is.

    The name of the tracepoint, symbol or file is written into `name`, with a zero at its end.
    """
    attr = TaskFdQuery(
        Cmd.TASK_FD_QUERY, "ask about a perf event", through="task_fd_query.probe_addr"
    )
    attr.set("task_fd_query", pid=pid, fd=number, buf=attr.pointer(name), buf_len=len(name))
    return attr
