"""The tool to compare statistics with: how it becomes a command once it was fetched."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.vm import newest_bpftool, veristat

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory of it in a cache of our own: a loader that says what it is to start."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert veristat.cached() is None
    place = veristat._place()
    place.mkdir(parents=True)
    files = {
        veristat.NAME: veristat.LAUNCHER,
        newest_bpftool.LOADER: '#!/bin/sh\necho "$@"\n',
    }
    for name, content in files.items():
        (place / name).write_text(content)
        (place / name).chmod(0o755)
    return place


def test_install(place: Path, tmp_path: Path) -> None:
    """The command finds its libraries wherever the directory was copied to."""
    own = tmp_path / "own"
    (own / "bin").mkdir(parents=True)
    veristat.install(own)
    assert veristat.cached() == place
    command = own / "bin" / veristat.NAME
    done = subprocess.run([command, "a b"], check=True, capture_output=True, text=True)
    copied = own / veristat.NAME
    assert done.stdout == f"--library-path {copied} {copied}/veristat.real a b\n"
