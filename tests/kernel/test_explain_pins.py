"""Pins that cannot be made or opened: why, and what to do, on real bpf file systems."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.kernel.attr import map_create
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import MapType
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import id_of, pin
from tests.cli.runner import in_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bpfctl.kernel.fd import Fd


@pytest.fixture
def table() -> Iterator[Fd]:
    """Return a map."""
    attr = map_create(map_type=MapType.ARRAY, key_size=4, value_size=4, max_entries=1)
    with bpf_fd(attr) as fd:
        yield fd


def failed(*words: object) -> dict[str, Any]:
    """Run a command line that fails, and return its error."""
    done = in_process("-j", "--nomount", *map(str, words))
    error: dict[str, Any] = done.json["error"]
    assert done.status == error["status"] == 1
    return error


@pytest.mark.explains("not-bpffs", "pin-exists", "pin-parent-missing", "pin-name")
def test_where_nothing_can_be_pinned(table: Fd, bpffs: Path, tmp_path: Path) -> None:
    number = id_of(ObjectKind.MAP, table)
    pin(table, str(bpffs / "taken"))
    for path, code, problem, remedy in [
        (tmp_path / "x", "not-bpffs", f"{tmp_path} is on no bpf file system", "pin below /"),
        (bpffs / "taken", "pin-exists", "it exists already", f"or rm {bpffs}/taken"),
        (bpffs, "pin-exists", "it is a directory", f"choose a name in it: {bpffs}/NAME"),
        (bpffs / "a/b", "pin-parent-missing", f"there is no directory {bpffs}/a", "mkdir"),
        (bpffs / "a.b", "pin-name", "a bpf file system takes no name with a dot", "without dots"),
        (f"{bpffs}/new/", "pin-name", "a pin is no directory", "leave out the slash"),
    ]:
        error = failed("map", "pin", "id", number, path)
        assert (error["code"], error["message"]) == (code, f"cannot pin here: {problem}")
        assert remedy in error["remedy"]
        assert error["object"] == str(path)
    assert sorted(one.name for one in bpffs.iterdir()) == ["taken"]


@pytest.mark.explains("pin-read-only")
def test_a_read_only_mount(table: Fd, bpffs: Path, tmp_path: Path) -> None:
    number = id_of(ObjectKind.MAP, table)
    subprocess.run(["mount", "--bind", str(bpffs), str(tmp_path)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(tmp_path)], check=True)
        error = failed("map", "pin", "id", number, tmp_path / "x")
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert error["code"] == "pin-read-only"
    assert error["message"] == f"cannot pin here: {tmp_path} is mounted read-only"
    assert "remount,rw" in error["remedy"]


@pytest.mark.explains("bpffs-not-mounted")
def test_without_a_bpffs(table: Fd) -> None:
    """In mounts of its own, without any bpffs."""
    number = id_of(ObjectKind.MAP, table)
    words = ["-j", "--nomount", "map", "pin", "id", str(number), "/sys/fs/bpf/x"]
    script = 'umount -q -a -t bpf; exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", sys.executable, "-m", "bpfctl", *words],
        check=False,
        capture_output=True,
        text=True,
    )
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (1, "bpffs-not-mounted")
    assert error["message"] == (
        "cannot pin here: /sys/fs/bpf is on no bpf file system: none is mounted there"
    )
    assert error["remedy"] == "mount -t bpf bpf /sys/fs/bpf"


@pytest.mark.explains("not-bpffs", "not-a-pin", "pinned-object-kind")
def test_what_cannot_be_opened(table: Fd, bpffs: Path, tmp_path: Path) -> None:
    pin(table, str(bpffs / "table"))
    (tmp_path / "file").touch()
    for path, code, message in [
        (tmp_path / "file", "not-bpffs", "this is on no bpf file system"),
        (bpffs, "not-a-pin", "this is a directory"),
        (bpffs / "table", "pinned-object-kind", "a map is pinned here, not a program"),
    ]:
        error = failed("prog", "show", "pinned", path)
        assert (error["code"], error["message"], error["object"]) == (code, message, str(path))


def test_nothing_can_be_where_no_bpffs_is(tmp_path: Path) -> None:
    done = in_process("-j", "prog", "show", "pinned", str(tmp_path / "x"))
    assert (done.status, done.json["error"]["message"]) == (3, "nothing is pinned here")
    assert done.json["error"]["evidence"] == [f"{tmp_path} is on no bpf file system"]
