"""File systems made from directories, without mounting anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.vm.tools import run

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
SPARE = 32 * MIB
INODE_BYTES = 4096  # a file takes a block at least, and its inode


def make(directory: Path, target: Path, *, spare_bytes: int = SPARE) -> None:
    """Write an ext4 file system with what a directory holds, owners included.

    The guest may fill `spare_bytes` more. Raises: VmError when mke2fs fails.
    """
    sizes = [path.lstat().st_size for path in directory.rglob("*")]
    need = sum(sizes) * 11 // 10 + len(sizes) * INODE_BYTES + spare_bytes
    run(
        *("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-i", "8192", "-O", "^has_journal"),
        *("-E", "lazy_itable_init=1,root_owner=0:0", "-d", str(directory), str(target)),
        f"{need // 1024}k",
    )
