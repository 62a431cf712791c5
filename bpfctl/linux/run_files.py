"""Files of ours in /run: what one command may leave for the next ones, until the machine stops.

They spare work and are never needed: whatever is wrong with one, it is as if it were not there.
"""

from __future__ import annotations

import os
import stat

from bpfctl.errors import SyscallError
from bpfctl.kernel.mapping import map_descriptor
from bpfctl.plain_tools import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

FOLDER: Final = "/run/bpfctl"
_ROOT: Final = 0
_MAX_BYTES: Final = 64 << 20
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def boot_id() -> str | None:
    """The number the kernel drew when it started, None where it does not show it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read().decode().strip()
    except OSError:
        return None


class RunFiles:
    """A folder that only `owner` may write to, root unless a test says otherwise.

    `mode` is that of files in it: others may read them unless it says otherwise.
    """

    def __init__(self, folder: str = FOLDER, owner: int = _ROOT, mode: int = 0o644) -> None:
        self._folder = folder
        self._owner = owner
        self._mode = mode

    @property
    def writable(self) -> bool:
        """Whether it is worth trying to write."""
        return os.geteuid() == self._owner

    def read(self, name: str) -> memoryview | None:
        """The content of a file; None when there is none, or somebody else could have written it.

        Links are not followed, and nothing else than a regular file is read. It is mapped: files
        here are replaced and never changed.
        """
        try:
            with (
                self._opened(self._folder, stat.S_IFDIR) as folder,
                self._opened(name, stat.S_IFREG, folder) as descriptor,
            ):
                size = os.fstat(descriptor).st_size
                return map_descriptor(descriptor, name) if 0 < size <= _MAX_BYTES else None
        except (OSError, SyscallError):
            return None

    def write(self, name: str, data: bytes) -> bool:
        """Put a file in place, whole or not at all; False when it could not be.

        Readers see the old file or the new one.
        """
        try:
            with suppress(FileExistsError):
                os.mkdir(self._folder, 0o755)
            with self._opened(self._folder, stat.S_IFDIR) as folder:
                self._replace(folder, name, data)
        except OSError:
            return False
        return True

    def trim(self, suffix: str, most_bytes: int) -> None:
        """Remove the oldest files of that kind until the others take no more; the newest stays.

        The folder is memory, and nobody else cleans it up before the machine stops.
        """
        try:
            with self._opened(self._folder, stat.S_IFDIR) as folder:
                names = [name for name in os.listdir(folder) if name.endswith(suffix)]
                found = [(os.stat(one, dir_fd=folder, follow_symlinks=False), one) for one in names]
                found.sort(key=lambda pair: pair[0].st_mtime_ns, reverse=True)
                left = most_bytes
                for position, (status, name) in enumerate(found):
                    left -= status.st_size
                    if position and left < 0:
                        os.unlink(name, dir_fd=folder)
        except OSError:
            return  # somebody else removed one meanwhile, or may

    def _replace(self, folder: int, name: str, data: bytes) -> None:
        made = f".{name}.{os.getpid()}-{os.urandom(4).hex()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(made, flags, self._mode, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.rename(made, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(made, dir_fd=folder)
            raise

    @contextmanager
    def _opened(self, name: str, kind: int, folder: int | None = None) -> Iterator[int]:
        """Open what is of that kind, and what nobody else may write to or has made.

        Raises: OSError.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(name, flags, dir_fd=folder)
        try:
            found = os.fstat(descriptor)
            mine = found.st_uid == self._owner and not found.st_mode & _WRITABLE_BY_OTHERS
            if not mine or stat.S_IFMT(found.st_mode) != kind:
                raise PermissionError
            yield descriptor
        finally:
            os.close(descriptor)
