"""Pins that are made together and go together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.errors import BpfctlError, PathError
from bpfctl.linux.mounts import BPFFS_PLACE, ensure_bpffs, is_bpffs
from bpfctl.objects.pin import pin

if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd


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
        self._made: list[Path] = []

    @property
    def paths(self) -> list[str]:
        """Everything made so far, directories included."""
        return [str(path) for path in self._made]

    def pin(self, fd: Fd, path: str) -> None:
        """Pin an object. Raises: PathError, SyscallError; nothing was pinned then."""
        if self._mount and str(Path(path).parent) == BPFFS_PLACE:
            self._ensure_bpffs()
        pin(fd, path, mount=False)
        self._made.append(Path(path))

    def make_directory(self, path: str) -> None:
        """Make the directory unless it is there; its parent must be, on a bpffs.

        Raises: PathError.
        """
        directory = Path(path)
        if self._mount and str(directory.parent) == BPFFS_PLACE:
            self._ensure_bpffs()
        if _is_directory(directory):
            return
        _check_place(directory)
        try:
            directory.mkdir(mode=0o700)
        except OSError as err:
            words = (err.strerror or str(err)).lower()
            raise PathError(f"cannot make the directory: {words}", subject=path) from err
        self._made.append(directory)

    def undo(self) -> None:
        """Remove everything made, the last first; what somebody else uses by now stays."""
        while self._made:
            path = self._made.pop()
            try:
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()
            except OSError:
                continue  # gone already, or somebody pinned more into the directory
        if self._mounted:
            self._unmount()

    def _ensure_bpffs(self) -> None:
        if Path(BPFFS_PLACE).is_dir():
            self._mounted = ensure_bpffs(BPFFS_PLACE) or self._mounted

    def _unmount(self) -> None:
        from bpfctl.kernel.mount import unmount

        self._mounted = False
        try:
            unmount(BPFFS_PLACE)
        except BpfctlError:
            return  # somebody uses it by now


def _is_directory(path: Path) -> bool:
    """Whether it is one; a bpffs answers EPERM when asked for a name with a dot."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _check_place(directory: Path) -> None:
    """Refuse a directory that cannot be made, with what would help."""
    parent = directory.parent
    if not _is_directory(parent):
        problem, remedy = f"there is no directory {parent}", f"mkdir {parent}, on a bpf file system"
    elif not is_bpffs(str(parent)):
        problem = f"{parent} is on no bpf file system"
        remedy = f"pin below {BPFFS_PLACE}, after: mount -t bpf bpf {BPFFS_PLACE}"
    elif "." in directory.name:
        problem = "a bpf file system takes no name with a dot"
        remedy = "choose a name without dots"
    elif directory.exists():
        problem, remedy = "it is no directory", "choose another path"
    else:
        return
    message = f"cannot pin here: {problem}"
    raise PathError(message, code="cannot-pin", subject=str(directory), remedy=remedy)
