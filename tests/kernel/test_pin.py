"""Pins on a bpffs of our own."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import NotFoundError, PathError
from bpfctl.kernel.attr import map_create, obj_pin, raw_tracepoint_open
from bpfctl.kernel.bpf import bpf_fd, try_bpf
from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.linux.mounts import bpffs_mounts, is_bpffs
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import id_of, open_pin, pin, pins, unpin
from tests.kernel.small import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bpfctl.kernel.fd import Fd


@pytest.fixture
def objects() -> Iterator[dict[ObjectKind, Fd]]:
    """Return one object of each kind that can be pinned."""
    array = map_create(map_type=MapType.ARRAY, key_size=4, value_size=4, max_entries=1)
    with (
        load(ProgType.RAW_TRACEPOINT) as prog,
        bpf_fd(array) as table,
        bpf_fd(raw_tracepoint_open("sched_process_exec", prog)) as link,
    ):
        yield {ObjectKind.PROG: prog, ObjectKind.MAP: table, ObjectKind.LINK: link}


def test_pin_and_open_each_kind(objects: dict[ObjectKind, Fd], bpffs: Path) -> None:
    for kind, fd in objects.items():
        path = str(bpffs / kind.value)
        pin(fd, path)
        found, opened = open_pin(path)
        with opened:
            assert (found, id_of(kind, opened)) == (kind, id_of(kind, fd))
        unpin(path)
        with pytest.raises(NotFoundError, match="nothing is pinned here"):
            open_pin(path)


def test_pins_lists_all_of_them(objects: dict[ObjectKind, Fd], bpffs: Path) -> None:
    (bpffs / "a/b").mkdir(parents=True)
    (bpffs / "a/link").symlink_to(bpffs)
    expected: dict[tuple[ObjectKind, int], list[str]] = {}
    for kind, fd in objects.items():
        for place in (bpffs, bpffs / "a/b"):
            pin(fd, f"{place}/{kind.name}")
            expected.setdefault((kind, id_of(kind, fd)), []).append(f"{place}/{kind.name}")
    listed = pins()
    (bpffs / "a/link").unlink()
    assert {key: listed[key] for key in expected} == expected


def test_listing_an_iterator_does_not_run_it(data: Path, bpffs: Path) -> None:
    """The file of a pinned iterator makes one when it is opened; only bpf(2) gives the link."""
    from bpfctl.elf.reader import read_object
    from bpfctl.loader.pipeline import load as load_object
    from bpfctl.objects.attach_iter import link_iterator
    from bpfctl.objects.attach_targets import Iter

    with (
        load_object(read_object(str(data / "iter_task.bpf.o"))) as loaded,
        link_iterator(loaded.programs["each_task"].fd, Iter()) as link,
    ):
        pin(link, str(bpffs / "tasks"))
        key = (ObjectKind.LINK, id_of(ObjectKind.LINK, link))
        assert pins()[key] == [str(bpffs / "tasks")]


def test_why_a_pin_fails(objects: dict[ObjectKind, Fd], bpffs: Path, tmp_path: Path) -> None:
    prog = objects[ObjectKind.PROG]
    pin(prog, str(bpffs / "taken"))
    for path, code, words in [
        (bpffs / "taken", "pin-exists", "it exists already"),
        (bpffs / "absent/x", "pin-parent-missing", f"there is no directory {bpffs}/absent"),
        (bpffs / "a.b", "pin-name", "a bpf file system takes no name with a dot"),
        (tmp_path / "x", "not-bpffs", f"{tmp_path} is on no bpf file system"),
    ]:
        with pytest.raises(PathError) as caught:
            pin(prog, str(path))
        assert (caught.value.code, caught.value.message) == (code, f"cannot pin here: {words}")
        assert not os.path.lexists(bpffs / "absent")


def test_why_a_pin_cannot_be_opened(bpffs: Path, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    for path, code in [(tmp_path / "x", "not-bpffs"), (bpffs, "not-a-pin")]:
        with pytest.raises(PathError) as caught:
            open_pin(str(path))
        assert caught.value.code == code


def test_our_mount_is_seen(bpffs: Path, bpffs_mount: Path, tmp_path: Path) -> None:
    assert str(bpffs_mount) in bpffs_mounts()
    assert is_bpffs(str(bpffs))
    assert not is_bpffs(str(tmp_path))
    assert not is_bpffs(str(bpffs / "absent"))


def test_a_pin_keeps_its_object(bpffs: Path) -> None:
    with load() as prog:
        number = id_of(ObjectKind.PROG, prog)
        pin(prog, str(bpffs / "p"))
    with open_pin(str(bpffs / "p"))[1] as opened:
        assert id_of(ObjectKind.PROG, opened) == number


def test_errno_of_a_name_with_a_dot(bpffs: Path) -> None:
    """The check for dots explains EPERM: a name without one is pinned."""
    with load() as prog:
        assert try_bpf(obj_pin(str(bpffs / "a.b"), prog)) == -errno.EPERM
        assert try_bpf(obj_pin(str(bpffs / "a_b"), prog)) == 0
