"""The kernel's own types, from its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import BtfError, NotSupportedError, PathError
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.objects.btf import read_kernel_btf

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_is_read_once_whoever_asks(tmp_path: Path) -> None:
    builder = BtfBuilder()
    builder.add(t.Int(1, "int", 4, 1, 0, 32))
    place = tmp_path / "vmlinux"
    place.write_bytes(builder.build())
    first = read_kernel_btf(str(place))
    place.unlink()
    assert read_kernel_btf(str(place)) is first
    assert KernelBtf(str(place)).btf is first
    assert KernelBtf(str(place)).core_target.btf is first


def test_a_kernel_without_types(tmp_path: Path) -> None:
    place = str(tmp_path / "vmlinux")
    with pytest.raises(NotSupportedError) as caught:
        read_kernel_btf(place)
    assert (caught.value.code, caught.value.since) == ("kernel-btf-missing", "5.4")
    assert caught.value.evidence == [f"there is no {place}"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """That says nothing about the kernel."""
    with pytest.raises(PathError, match="cannot read the kernel's types: is a directory"):
        read_kernel_btf(str(tmp_path))


def test_a_file_of_something_else(tmp_path: Path) -> None:
    place = tmp_path / "vmlinux"
    place.write_bytes(b"no types at all")
    with pytest.raises(BtfError, match="magic number") as caught:
        read_kernel_btf(str(place))
    assert caught.value.path == str(place)
