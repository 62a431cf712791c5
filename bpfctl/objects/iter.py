"""Read what an iterator program prints."""

from __future__ import annotations

import errno
import os

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_link import iter_create
from bpfctl.kernel.bpf import bpf_fd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.kernel.fd import Fd

_CHUNK_BYTES: Final = 64 * 1024


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
