"""Pins that are made together and go together."""

from __future__ import annotations

import os

from bpfctl.errors import BpfctlError, PathError
from bpfctl.linux.mounts import BPFFS_PLACE, ensure_bpffs
from bpfctl.objects.pin import pin, place_error
from bpfctl.plain_signal import signal
from bpfctl.plain_tools import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from bpfctl.kernel.fd import Fd

# What people and service managers send; a program may have made exceptions of them.
_SIGNALS: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def pin_path(directory: str, name: str) -> str:
    """Where a program or map of that name is pinned; bpffs takes no dots in names.

    Source: bpf_lookup(), kernel/bpf/inode.c (Linux 4.7): dots are reserved.
    """
    return f"{directory.rstrip('/')}/{name.replace('.', '_')}"


class PinSet:
    """The pins and directories one operation made, in the order it made them.

    `undo` removes them all again; what was there before stays. With `mount` a bpffs is mounted at
    its usual place when something is to be pinned there and none is mounted.
    """

    def __init__(self, *, mount: bool = False) -> None:
        self._mount = mount
        self._mounted = False
        self._made: list[str] = []

    @property
    def paths(self) -> list[str]:
        """Everything made so far, directories included."""
        return list(self._made)

    def pin(self, fd: Fd, path: str) -> None:
        """Pin an object. Raises: PathError, SyscallError; nothing was pinned then."""
        with unbroken():
            self._prepare(path)
            pin(fd, path)
            self._made.append(path)

    def pin_each(self, fds: Sequence[Fd], path: str) -> list[str]:
        """Pin one object at `path`, several in a directory of that name, by numbers from 0.

        Raises: PathError, SyscallError.
        """
        if len(fds) == 1:
            self.pin(fds[0], path)
            return [path]
        self.make_directory(path)
        paths = [f"{path}/{number}" for number in range(len(fds))]
        for fd, place in zip(fds, paths, strict=True):
            self.pin(fd, place)
        return paths

    def make_directory(self, path: str) -> None:
        """Make the directory unless it is there; its parent must be, on a bpffs.

        Raises: PathError.
        """
        with unbroken():
            self._prepare(path)
            self._make_directory(path)

    def _make_directory(self, path: str) -> None:
        if os.path.isdir(path):
            return
        error = place_error(path.rstrip("/"))
        if error is not None:
            raise error
        try:
            os.mkdir(path, mode=0o700)
        except OSError as err:
            words = (err.strerror or str(err)).lower()
            raise PathError(f"cannot make the directory: {words}", subject=path) from err
        self._made.append(path)

    def undo(self) -> None:
        """Remove everything made, the last first; what somebody else uses by now stays."""
        with unbroken():
            while self._made:
                _remove(self._made.pop())
            if self._mounted:
                self._unmount()

    def _prepare(self, path: str) -> None:
        """Mount a bpffs where one is allowed and missing."""
        parent = os.path.dirname(os.path.abspath(path))
        if self._mount and parent == BPFFS_PLACE and os.path.isdir(parent):
            self._mounted = ensure_bpffs(parent) or self._mounted

    def _unmount(self) -> None:
        from bpfctl.kernel.mount import unmount

        self._mounted = False
        try:
            unmount(BPFFS_PLACE)
        except BpfctlError:
            return  # somebody uses it by now


def _remove(path: str) -> None:
    try:
        if os.path.isdir(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    except OSError:
        return  # gone already, or somebody pinned more into the directory


@contextmanager
def unbroken() -> Iterator[None]:
    """Let signals wait, so that none comes between making something and taking note of it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
