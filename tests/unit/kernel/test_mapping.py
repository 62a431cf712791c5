"""Files as memory."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel.mapping import map_file


def mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


def test_a_mapped_file_lives_as_long_as_a_view_of_it(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"abc" * 5000)
    whole = map_file(str(place))
    assert (len(whole), whole.readonly, bytes(whole)) == (15000, True, b"abc" * 5000)
    part = whole[3:6]
    del whole
    assert (bytes(part), mapped(place)) == (b"abc", True)
    del part
    assert not mapped(place)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        map_file(str(tmp_path / "none"))


def test_an_empty_file_has_nothing_to_map(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SyscallError) as caught:
        map_file(str(tmp_path / "file"))
    assert (caught.value.errno, caught.value.call) == (errno.EINVAL, "mmap")
