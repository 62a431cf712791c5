"""Paths of cgroups by their ids, in a tree that looks like one of cgroups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.linux import cgroups
from bpfctl.linux.cgroups import cgroup2_mounts, cgroup_id, cgroup_paths
from bpfctl.linux.mounts import Mount

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a", "a/b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "a/cgroup.procs").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path


def inode(path: Path) -> int:
    return path.stat().st_ino


def test_paths_are_within_the_hierarchy(tree: Path) -> None:
    wanted = {inode(tree), inode(tree / "a/b"), inode(tree / "c"), 0, 1 << 60}
    assert cgroup_paths(wanted, [str(tree)]) == {
        inode(tree): "/",
        inode(tree / "a/b"): "/a/b",
        inode(tree / "c"): "/c",
    }


def test_a_file_is_no_cgroup(tree: Path) -> None:
    assert cgroup_paths([inode(tree / "a/cgroup.procs")], [str(tree)]) == {}


def test_the_first_hierarchy_counts(tree: Path) -> None:
    roots = [str(tree / "a"), str(tree), str(tree / "absent")]
    assert cgroup_paths([inode(tree / "a/b")], roots) == {inode(tree / "a/b"): "/b"}


def test_the_walk_has_an_end(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "_MOST_DIRECTORIES", 1)
    assert cgroup_paths([inode(tree), inode(tree / "c")], [str(tree)]) == {inode(tree): "/"}


def test_nothing_is_walked_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(*_: object) -> None:
        pytest.fail("walked")

    monkeypatch.setattr(cgroups, "_walk", walk)
    assert cgroup_paths([0], ["/"]) == {}


def test_id_of_a_directory(tree: Path) -> None:
    assert cgroup_id(str(tree)) == inode(tree)
    assert cgroup_id(str(tree / "absent")) is None


def test_only_version_2(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [Mount("/one", "/", "cgroup", 1), Mount("/two", "/", "cgroup2", 2)]
    monkeypatch.setattr(cgroups, "mounts", lambda: listed)
    assert cgroup2_mounts() == ["/two"]
