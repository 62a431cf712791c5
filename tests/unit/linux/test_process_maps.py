"""Where a process has a file in its memory."""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import TYPE_CHECKING

from bpfctl.linux.process_maps import mapped_at

if TYPE_CHECKING:
    from pathlib import Path

PAGE = mmap.PAGESIZE


def test_a_place_in_our_own_memory(tmp_path: Path) -> None:
    path = tmp_path / "with a blank"
    path.write_bytes(b"first".ljust(PAGE, b"-") + b"second".ljust(PAGE, b"-"))
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), PAGE, mmap.MAP_PRIVATE, mmap.PROT_READ, offset=PAGE),
    ):
        address = mapped_at(os.getpid(), str(path), PAGE + 1)
        assert address is not None
        assert ctypes.string_at(address, 5) == b"econd"
        assert mapped_at(os.getpid(), str(path), 0) is None
    assert mapped_at(os.getpid(), str(path), PAGE + 1) is None


def test_no_such_process_or_file(tmp_path: Path) -> None:
    assert mapped_at(2**30, "/bin/sh", 0) is None
    assert mapped_at(os.getpid(), str(tmp_path / "none"), 0) is None
