"""Which file systems are mounted where.

Source: proc_pid_mountinfo(5), show_mountinfo() in fs/proc_namespace.c (Linux 2.6.26).
"""

from __future__ import annotations

import os

from bpfctl.errors import PathError, SyscallError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

BPFFS_PLACE: Final = "/sys/fs/bpf"  # where systemd and bpftool mount it
_BPFFS: Final = "bpf"
_OWN: Final = "/proc/self/mountinfo"


@plain
class Mount:
    """One mount of this process's mount namespace.

    `root` is the directory of the file system that is visible at `point` ("/" unless a part of it
    was bind-mounted), `device` the number that stat(2) gives for files in it. `options` are those
    of the file system ("mode=700").
    """

    point: str
    root: str
    kind: str
    device: int
    options: tuple[str, ...] = ()


def parse_mountinfo(text: str, kind: str = "") -> list[Mount]:
    """Return the mounts in a mountinfo's text, those of a kind of file system if one is given.

    Lines that make no sense are left out.
    """
    # Not splitlines(): the kernel escapes "\n" in names, and none of the others that it knows. It
    # escapes blanks, too.
    lines = (line for line in text.split("\n") if f" - {kind}" in line)
    found = (mount for line in lines if (mount := _parse_line(line)))
    return [mount for mount in found if kind in ("", mount.kind)]


def _parse_line(line: str) -> Mount | None:
    """Read `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw`."""
    front, dash, back = line.partition(" - ")
    words = front.split(" ")
    numbers = words[2].partition(":") if len(words) > 4 else ("", "", "")
    if not dash or not numbers[0].isdecimal() or not numbers[2].isdecimal():
        return None
    device = os.makedev(int(numbers[0]), int(numbers[2]))
    kind, *rest = back.split(" ")
    options = tuple(rest[-1].split(",")) if len(rest) > 1 else ()
    return Mount(_unescape(words[4]), _unescape(words[3]), kind, device, options)


def _unescape(text: str) -> str:
    r"""Undo the kernel's octal escapes of blanks and backslashes (`\040`)."""
    first, *rest = text.split("\\")
    for part in rest:
        digits = part[:3]
        if len(digits) == 3 and all(digit in "01234567" for digit in digits):
            first += chr(int(digits, 8)) + part[3:]
        else:
            first += "\\" + part
    return first


def mounts(path: str = _OWN, kind: str = "") -> list[Mount]:
    """Return the mounts, in the order they were made; none where /proc cannot be read.

    With a kind ("bpf"), those of such file systems.
    """
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return parse_mountinfo(text, kind)


def bpffs_mounts(path: str = _OWN) -> list[str]:
    """Return where a bpffs is mounted: one place for each file system, the first that works.

    A place that another mount hides is left out.
    """
    found: dict[tuple[int, str], str] = {}
    for mount in mounts(path, _BPFFS):
        if _device(mount.point) == mount.device:
            found.setdefault((mount.device, mount.root), mount.point)
    return list(found.values())


def is_bpffs(path: str) -> bool:
    """Say whether a file or directory lies on a bpffs; False where it does not exist."""
    device = _device(path)
    return device is not None and any(mount.device == device for mount in mounts(kind=_BPFFS))


def ensure_bpffs(path: str = BPFFS_PLACE) -> bool:
    """Mount a bpffs at an existing directory unless it is on one; say whether that was done.

    Raises: PathError when there is no such directory, or mounting is refused.
    """
    if is_bpffs(path):
        return False
    from bpfctl.kernel.mount import mount_bpffs

    if not os.path.isdir(path):
        raise PathError("there is no such directory", code="no-directory", subject=path)
    try:
        mount_bpffs(path)
    except SyscallError as err:
        raise PathError(
            f"no bpf file system is mounted here, and mounting one failed: {err.strerror}",
            code="bpffs-not-mounted",
            subject=path,
            remedy=f"mount -t bpf bpf {path}",
        ) from err
    return True


def _device(path: str) -> int | None:
    try:
        return os.stat(path).st_dev
    except OSError:
        return None
