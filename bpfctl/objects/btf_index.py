"""The running kernel's types, read with the help of an index that an earlier command left.

Finding more than 100,000 records takes as long as all the rest of a load, and gives the same
until the machine stops: the first command of root's keeps it in /run/bpfctl.
"""

from __future__ import annotations

import os

from bpfctl.btf.decode import Btf
from bpfctl.btf.index import pack, unpack
from bpfctl.btf.layout import HEADER_BYTES
from bpfctl.kernel.mapping import map_file
from bpfctl.linux.run_files import RunFiles, boot_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SWITCH: Final = "BPFCTL_NO_BTF_INDEX"  # set to anything, it keeps the index from being used
NAME: Final = "vmlinux.index"


def read_indexed(path: str, files: RunFiles | None = None) -> Btf:
    """Read the types of the running kernel from their file, which must not change meanwhile.

    The answers are the same with and without an index. Raises: OSError, BtfError.
    """
    data = _data(path)
    key = _key(data)
    if key is None:
        return Btf.parse(data, path=path)
    files = files or RunFiles()
    kept = files.read(NAME)
    index = unpack(kept, key) if kept else None
    btf = Btf.parse(data, path=path, index=index)
    if index is None and files.writable:
        files.write(NAME, pack(btf.index(), key))
    return btf


def _data(path: str) -> bytes | memoryview:
    """Map the file where the kernel lets us (Linux 6.16), else copy it."""
    try:
        return map_file(path)
    except OSError:
        with open(path, "rb") as file:
            return file.read()


def _key(data: bytes | memoryview) -> bytes | None:
    """What the index belongs to: this boot, and types of this size and header."""
    boot = None if os.environ.get(SWITCH) else boot_id()
    if boot is None:
        return None
    return f"{boot} {len(data)} ".encode() + bytes(data[:HEADER_BYTES])
