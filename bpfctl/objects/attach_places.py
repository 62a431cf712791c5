"""Interfaces, directories and processes that programs are attached to."""

from __future__ import annotations

import os

from bpfctl.errors import NotFoundError, PathError
from bpfctl.kernel.fd import Fd
from bpfctl.linux.netdev import interface_index, interface_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_MOST_NAMES: Final = 12


def find_interface(name: str) -> int:
    """Return the index of an interface. Raises: NotFoundError."""
    index = interface_index(name)
    if index is None:
        raise NotFoundError(
            f"there is no interface {name} in this network namespace",
            code="no-such-interface",
            subject=name,
            evidence=[f"interfaces here: {', '.join(interface_names(_MOST_NAMES))}"],
            remedy="see: ip -brief link    (another namespace: ip netns exec NAME bpfctl ...)",
        )
    return index


def open_directory(path: str) -> Fd:
    """Open a cgroup's directory; the caller closes it. Raises: PathError."""
    try:
        return Fd(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as err:
        from bpfctl.objects.attach_explain_cgroup import nearest_cgroups

        words, near = (err.strerror or str(err)).lower(), nearest_cgroups(path)
        raise PathError(
            f"cannot open the cgroup: {words}",
            code="no-cgroup",
            subject=path,
            remedy=f"did you mean {' or '.join(near)}?" if near else None,
        ) from err


def check_process(pid: int) -> None:
    """Refuse a process that is gone: the kernel has no word of its own for that (ESRCH).

    0 is no process, but all of them. Raises: NotFoundError.
    """
    try:
        if pid:
            os.kill(pid, 0)
    except ProcessLookupError:
        raise NotFoundError(f"there is no process {pid}", code="no-such-process") from None
    except PermissionError:  # it is there, and another user's
        return
