"""The drive that an exit status comes over: only a whole one counts."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.vm import outcome

if TYPE_CHECKING:
    from pathlib import Path


def write(drive: Path, files: dict[str, bytes]) -> None:
    with drive.open("r+b") as file, tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    place = tmp_path / "drive"
    outcome.make_drive(place)
    return place


def test_status_and_files(drive: Path, tmp_path: Path) -> None:
    write(drive, {"status": b"7\n", "dmesg": b"words", "results/junit.xml": b"<x/>"})
    results = tmp_path / "out"
    assert outcome.read(drive, results) == 7
    assert (results / "junit.xml").read_bytes() == b"<x/>"
    assert (results / "dmesg").read_bytes() == b"words"
    assert not (results / "results").exists()


def test_nothing_written(drive: Path, tmp_path: Path) -> None:
    assert outcome.read(drive, tmp_path / "out") is None


def test_no_status(drive: Path, tmp_path: Path) -> None:
    write(drive, {"dmesg": b"words"})
    assert outcome.read(drive, tmp_path / "out") is None


def test_status_of_the_commands_own_is_none(drive: Path, tmp_path: Path) -> None:
    write(drive, {"results/status": b"0\n"})
    assert outcome.read(drive, tmp_path / "out") is None


def test_torn(drive: Path, tmp_path: Path) -> None:
    write(drive, {"dmesg": b"words" * 1000, "status": b"0\n"})
    with drive.open("r+b") as file:
        file.truncate(2048)
    assert outcome.read(drive, tmp_path / "out") is None


def test_a_name_that_leads_outside(drive: Path, tmp_path: Path) -> None:
    write(drive, {"../../outside": b"x", "status": b"0\n"})
    assert outcome.read(drive, tmp_path / "out") is None
    assert not (tmp_path / "outside").exists()
