"""Walk and open loaded objects by their ids."""

from __future__ import annotations

import errno

from bpfctl.errors import NotFoundError, SyscallError
from bpfctl.kernel.attr_object import get_fd_by_id, get_next_id
from bpfctl.kernel.bpf import bpf_fd, try_bpf
from bpfctl.kernel.uapi import Cmd
from bpfctl.plain_enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.kernel.fd import Fd


class ObjectKind(Enum):
    """A kind of object that has ids; the value is what people call it."""

    PROG = "program"
    MAP = "map"
    LINK = "link"
    BTF = "BTF object"


_NEXT_ID = {
    ObjectKind.PROG: Cmd.PROG_GET_NEXT_ID,
    ObjectKind.MAP: Cmd.MAP_GET_NEXT_ID,
    ObjectKind.LINK: Cmd.LINK_GET_NEXT_ID,
    ObjectKind.BTF: Cmd.BTF_GET_NEXT_ID,
}
_OPEN_ID = {
    ObjectKind.PROG: Cmd.PROG_GET_FD_BY_ID,
    ObjectKind.MAP: Cmd.MAP_GET_FD_BY_ID,
    ObjectKind.LINK: Cmd.LINK_GET_FD_BY_ID,
    ObjectKind.BTF: Cmd.BTF_GET_FD_BY_ID,
}
_NOT_THERE = frozenset((errno.ENOENT, errno.EAGAIN))


def ids(kind: ObjectKind) -> Iterator[int]:
    """Yield the ids of all loaded objects of one kind, ascending.

    The list may change while we walk: an id can be gone when you open it.
    Raises: SyscallError (EPERM without CAP_SYS_ADMIN).
    Source: BPF_PROG_GET_NEXT_ID, Linux 4.13; BPF_BTF_GET_NEXT_ID, 5.4; BPF_LINK_GET_NEXT_ID, 5.8.
    """
    last = 0
    while True:
        attr = get_next_id(_NEXT_ID[kind], last)
        attr.doing = f"list {kind.value}s"
        result = try_bpf(attr)
        if result == -errno.ENOENT:
            return
        if result < 0:
            raise _denied(SyscallError(-result, attr.call, attr.doing))
        if attr.next_id <= last:
            return  # ids only grow: whatever answers so would never end
        last = attr.next_id
        yield last


def open_id(kind: ObjectKind, number: int, doing: str = "") -> Fd:
    """Open a loaded object by its id; the caller closes it.

    A link that is just being made counts as not there yet: it has no id until then, and the
    kernel answers EAGAIN (bpf_link_by_id, kernel/bpf/syscall.c, Linux 5.8).
    Raises: NotFoundError, SyscallError (EPERM without CAP_SYS_ADMIN).
    """
    try:
        return bpf_fd(get_fd_by_id(_OPEN_ID[kind], number, doing=doing or f"open {kind.value}"))
    except SyscallError as err:
        if err.errno not in _NOT_THERE:
            raise _denied(err)  # noqa: B904 - it is the same error
        raise NotFoundError(f"no {kind.value} has id {number}") from err


def _denied(err: SyscallError) -> SyscallError:
    """Say what it takes to use ids (bpf_prog_get_fd_by_id and its like, Linux 4.13)."""
    if err.errno != errno.EPERM:
        return err
    from bpfctl.objects.denial import explain_call

    return explain_call(err)
