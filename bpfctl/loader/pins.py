"""Pins that are made together and go together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.errors import PathError
from bpfctl.loader.map_pins import pin_path

if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd

__all__ = ["PinSet", "pin_path"]


class PinSet:
    """The pins and directories one operation made, in the order it made them.

    `undo` removes them all again; what was there before stays.
    """

    def __init__(self) -> None:
        self._made: list[Path] = []

    @property
    def paths(self) -> list[str]:
        """Everything made so far, directories included."""
        return [str(path) for path in self._made]

    def pin(self, fd: Fd, path: str) -> None:
        """Pin an object. Raises: PathError, SyscallError; nothing was pinned then."""
        from bpfctl.objects.pin import pin

        pin(fd, path)
        self._made.append(Path(path))

    def make_directory(self, path: str) -> None:
        """Make the directory unless it is there; its parent must be.

        Raises: PathError.
        """
        from bpfctl.linux.mounts import is_bpffs

        directory = Path(path)
        if directory.is_dir():
            return
        if directory.exists():
            raise PathError("is there and is no directory", subject=path)
        if not directory.parent.is_dir():
            raise PathError(
                f"there is no directory {directory.parent}",
                subject=path,
                remedy=f"mkdir {directory.parent}, on a bpf file system",
            )
        if not is_bpffs(str(directory.parent)):
            return  # the pin itself says what is wrong with it
        try:
            directory.mkdir(mode=0o700)
        except OSError as err:
            raise PathError(f"cannot make the directory: {err.strerror}", subject=path) from err
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
