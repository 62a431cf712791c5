"""The running kernel's types with an index that an earlier command left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bpfctl.btf.types import Kind
from bpfctl.linux.run_files import RunFiles
from bpfctl.objects import btf_index
from bpfctl.objects.btf_index import NAME, SWITCH, read_indexed
from tests.builders.btf import SAMPLE, build

WALK = "bpfctl.btf.layout.walk_records"


@pytest.fixture
def vmlinux(tmp_path: Path) -> str:
    place = tmp_path / "vmlinux"
    place.write_bytes(build())
    return str(place)


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    return RunFiles(str(tmp_path / "run"), os.geteuid())


def test_the_second_reader_need_not_walk(
    vmlinux: str, files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_indexed(vmlinux, files)
    monkeypatch.delattr(WALK)
    second = read_indexed(vmlinux, files)
    assert tuple(second.types()) == tuple(first.types()) == SAMPLE
    assert second.find("pair", Kind.STRUCT) == first.find("pair", Kind.STRUCT) == 7
    assert second.find("act", Kind.FUNC) == first.find("act", Kind.FUNC) == 25
    assert second.path == vmlinux


def test_it_may_be_turned_off(
    vmlinux: str, files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, "1")
    assert tuple(read_indexed(vmlinux, files).types()) == SAMPLE
    assert files.read(NAME) is None
    monkeypatch.delenv(SWITCH)
    read_indexed(vmlinux, files)
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.delattr(WALK)
    with pytest.raises(AttributeError):
        read_indexed(vmlinux, files)


def test_without_a_number_of_the_boot_there_is_none(
    vmlinux: str, files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(btf_index, "boot_id", lambda: None)
    assert tuple(read_indexed(vmlinux, files).types()) == SAMPLE
    assert files.read(NAME) is None


@pytest.mark.parametrize("kept", [b"", b"what?", bytes(5000)], ids=["empty", "words", "zeros"])
def test_a_damaged_one_is_ignored_and_made_again(
    vmlinux: str, files: RunFiles, kept: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(NAME, kept)
    assert tuple(read_indexed(vmlinux, files).types()) == SAMPLE
    monkeypatch.delattr(WALK)
    assert tuple(read_indexed(vmlinux, files).types()) == SAMPLE


def test_one_of_another_boot_or_of_other_types_is_not_used(
    vmlinux: str, files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_indexed(vmlinux, files)
    first = files.read(NAME)
    Path(vmlinux).write_bytes(build(SAMPLE[:6]))
    assert len(read_indexed(vmlinux, files)) == 7
    second = files.read(NAME)
    monkeypatch.setattr(btf_index, "boot_id", lambda: "another")
    assert len(read_indexed(vmlinux, files)) == 7
    assert len({bytes(one) for one in (first, second, files.read(NAME)) if one}) == 3


def test_who_may_not_write_reads_all_the_same(vmlinux: str, tmp_path: Path) -> None:
    others = RunFiles(str(tmp_path / "run"), os.geteuid() + 1)
    assert tuple(read_indexed(vmlinux, others).types()) == SAMPLE
    assert not (tmp_path / "run").exists()


def test_a_file_that_cannot_be_mapped_is_copied(
    vmlinux: str, files: RunFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of /sys/kernel/btf before Linux 6.16."""

    def refuse(path: str) -> memoryview:
        raise OSError(path)

    monkeypatch.setattr(btf_index, "map_file", refuse)
    for _ in range(2):
        btf = read_indexed(vmlinux, files)
        assert tuple(btf.types()) == SAMPLE
        assert btf.data == build()


def test_no_file_is_an_error_as_ever(tmp_path: Path, files: RunFiles) -> None:
    with pytest.raises(FileNotFoundError):
        read_indexed(str(tmp_path / "none"), files)
