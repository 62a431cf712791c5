"""Read what an iterator program prints."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Final

from bpfctl.errors import SyscallError, UsageError
from bpfctl.kernel.attr import iter_create, link_create, with_iterator
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.kernel.fd import Fd

_CHUNK_BYTES: Final = 64 * 1024


def link_iter(prog_fd: Fd, map_fd: Fd | None = None) -> Fd:
    """Link an iterator program; `map_fd` is the map whose elements it walks, if it walks one.

    The caller closes the link. Raises: UsageError when the iterator wants a map and got none,
    or got one and wants none; SyscallError.
    Source: bpf_iter_attach_map() and its like, kernel/bpf/map_iter.c, Linux 5.9.
    """
    attr = link_create(prog_fd=prog_fd, attach_type=AttachType.TRACE_ITER, doing="link iterator")
    if map_fd is not None:
        with_iterator(attr, map_fd.fileno().to_bytes(4, sys.byteorder))
    try:
        return bpf_fd(attr)
    except SyscallError as err:
        if err.errno == errno.EBADF and map_fd is None:
            message = "this iterator walks the elements of a map: say of which"
            raise UsageError(message, code="iterator-needs-map", remedy="map MAP") from err
        if err.errno == errno.EINVAL and map_fd is not None:
            err.candidates.append("the iterator takes no map, or not one of this type")
        raise


def open_iter(link_fd: Fd | int) -> Fd:
    """Begin a walk of the iterator behind a link; reading the result runs the program.

    The caller closes it. Raises: SyscallError (EINVAL: the link is no iterator's).
    Source: BPF_ITER_CREATE, Linux 5.8.
    """
    return bpf_fd(iter_create(link_fd))


def read_iter(fd: Fd) -> Iterator[bytes]:
    """Yield what the program prints, until the walk ends; chunks end anywhere.

    Raises: SyscallError.
    """
    while True:
        try:
            chunk = os.read(fd.fileno(), _CHUNK_BYTES)
        except OSError as err:
            # A million objects without output end a read (bpf_seq_read, kernel/bpf/bpf_iter.c,
            # Linux 5.8), and the next one goes on.
            if err.errno in {errno.EAGAIN, errno.EINTR}:
                continue
            raise SyscallError(err.errno or errno.EIO, "read", "read the iterator") from err
        if not chunk:
            return
        yield chunk
