"""The other bpftool: where it comes from when it was fetched, and how it becomes a command."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.vm import newest_bpftool
from tests.vm.errors import VmError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory of it in a cache of our own: a loader that says what it is to start."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert newest_bpftool.cached() is None
    place = newest_bpftool._place()
    place.mkdir(parents=True)
    text = newest_bpftool.LAUNCHER.format(loader=newest_bpftool.LOADER)
    for name, content in (
        (newest_bpftool.NAME, text),
        (newest_bpftool.LOADER, '#!/bin/sh\necho "$@"\n'),
    ):
        (place / name).write_text(content)
        (place / name).chmod(0o755)
    return place


def test_install(place: Path, tmp_path: Path) -> None:
    """The command finds its libraries wherever the directory was copied to."""
    own = tmp_path / "own"
    (own / "bin").mkdir(parents=True)
    newest_bpftool.install(own)
    assert newest_bpftool.cached() == place
    command = own / "bin" / newest_bpftool.NAME
    done = subprocess.run([command, "a b"], check=True, capture_output=True, text=True)
    copied = own / newest_bpftool.NAME
    assert done.stdout == f"--library-path {copied} {copied}/bpftool a b\n"


def test_one_is_no_documentation(tmp_path: Path) -> None:
    for folder in ("doc/bpftool", "share/bash-completion", "sbin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "share/bash-completion/bpftool").touch()
    (tmp_path / "sbin/bpftool").touch()
    assert newest_bpftool.one(tmp_path, "bpftool") == tmp_path / "sbin/bpftool"
    with pytest.raises(VmError, match="have no libc"):
        newest_bpftool.one(tmp_path, "libc.so.6")
