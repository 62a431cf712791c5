"""Pins: what is asked of the kernel, and why it may refuse."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import BpfctlError, NotFoundError, OutputError, PathError, SyscallError
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.uapi import Cmd
from bpfctl.objects import pin as module
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import kind_of_file, open_pin, pin, pins, unpin
from tests.fakes.kernel import FakeKernel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        pytest.param("anon_inode:bpf-prog", ObjectKind.PROG, id="program"),
        pytest.param("anon_inode:bpf-map", ObjectKind.MAP, id="map"),
        pytest.param("anon_inode:bpf_link", ObjectKind.LINK, id="link"),
        pytest.param("anon_inode:[bpf_link]", ObjectKind.LINK, id="brackets"),
        pytest.param("anon_inode:btf", ObjectKind.BTF, id="BTF"),
        pytest.param("anon_inode:bpf_iter", None, id="iterator"),
        pytest.param("/tmp/bpf-map", None, id="file"),
        pytest.param("", None, id="empty"),
    ],
)
def test_kind_of_file(target: str, kind: ObjectKind | None) -> None:
    assert kind_of_file(target) is kind


def refused(path: object, number: int) -> BpfctlError:
    with FakeKernel().on(Cmd.OBJ_PIN, -number), pytest.raises(BpfctlError) as caught:
        pin(5, str(path))
    return caught.value


def test_pin_without_a_directory(tmp_path: Path) -> None:
    err = refused(tmp_path / "absent/x", errno.ENOENT)
    assert isinstance(err, PathError)
    assert err.message == f"cannot pin here: there is no directory {tmp_path}/absent"


def test_pin_over_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_bpffs", lambda _: True)
    (tmp_path / "x").symlink_to("nowhere")
    err = refused(tmp_path / "x", errno.EEXIST)
    assert (type(err), err.code) == (PathError, "pin-exists")


def test_nobody_is_told_to_remove_an_ordinary_file(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    err = refused(tmp_path / "x", errno.EEXIST)
    assert (err.code, "rm" in str(err.remedy)) == ("not-bpffs", False)


@pytest.mark.parametrize(
    ("name", "message", "remedy"),
    [
        pytest.param("x", "it is a directory", "choose a name in it: {}/x/NAME", id="directory"),
        pytest.param("x/", "it is a directory", "choose a name in it: {}/x/NAME", id="slash"),
        pytest.param("new/", "a pin is no directory", "leave out the slash at its end", id="new"),
    ],
)
def test_pin_at_a_directory(
    name: str, message: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mount point of a bpffs lies in a directory that is on none."""
    monkeypatch.setattr(module, "is_bpffs", lambda path: path != str(tmp_path) or "new" in name)
    (tmp_path / "x").mkdir()
    err = refused(f"{tmp_path}/{name}", errno.EEXIST)
    assert err.message == f"cannot pin here: {message}"
    assert err.remedy == remedy.format(tmp_path)


def test_pin_nowhere() -> None:
    assert refused("", errno.ENOENT).message == "cannot pin here: the path is empty"


def deny(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Let the system refuse to look into a directory, as it does for other users."""
    ask = os.stat

    def stat(
        path: str | Path, *, dir_fd: int | None = None, follow_symlinks: bool = True
    ) -> os.stat_result:
        if str(path).startswith(f"{directory}/"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return ask(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "stat", stat)


def test_pin_where_we_may_not_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, tmp_path)
    err = refused(tmp_path / "private/x", errno.EACCES)
    assert isinstance(err, SyscallError)
    assert str(err) == f"{tmp_path}/private/x: pin at {tmp_path}/private/x: permission denied"


@pytest.mark.parametrize(
    ("mounts", "remedy"),
    [
        pytest.param(["/a", "/b"], "pin below /a or /b", id="mounted"),
        pytest.param(
            [],
            "pin below /sys/fs/bpf, after: mount -t bpf bpf /sys/fs/bpf",
            id="not mounted",
        ),
    ],
)
def test_pin_on_another_file_system(
    mounts: list[str], remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "bpffs_mounts", lambda: mounts)
    err = refused(tmp_path / "x", errno.EPERM)
    assert isinstance(err, PathError)
    assert err.message == f"cannot pin here: {tmp_path} is on no bpf file system"
    assert err.remedy == remedy


def test_pin_with_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_bpffs", lambda _: True)
    assert "no name with a dot" in str(refused(tmp_path / "x.y", errno.EPERM))


def test_what_no_check_explains_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_bpffs", lambda _: True)
    err = refused(tmp_path / "x", errno.EACCES)
    assert isinstance(err, SyscallError)
    assert (err.subject, err.errno) == (f"{tmp_path}/x", errno.EACCES)


def not_opened(path: object, number: int) -> BpfctlError:
    with FakeKernel().on(Cmd.OBJ_GET, -number), pytest.raises(BpfctlError) as caught:
        open_pin(str(path))
    return caught.value


def test_nothing_is_pinned() -> None:
    assert isinstance(not_opened("/x/y", errno.ENOENT), NotFoundError)


def test_a_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    err = not_opened(tmp_path / "x", errno.EACCES)
    assert (type(err), err.code) == (PathError, "not-bpffs")


def test_a_file_where_we_may_not_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, tmp_path)
    err = not_opened(tmp_path / "private/x", errno.EACCES)
    assert (type(err), err.code) == (SyscallError, "syscall-failed")


def test_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_bpffs", lambda _: True)
    err = not_opened(tmp_path, errno.EACCES)
    assert (type(err), err.code) == (PathError, "not-a-pin")


def test_a_pin_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_bpffs", lambda _: True)
    err = not_opened(tmp_path / "x", errno.EPERM)
    assert (type(err), err.subject) == (SyscallError, f"{tmp_path}/x")


def test_a_thing_of_another_kind_is_closed_again() -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.OBJ_GET, kernel.new_fd)
    with kernel, pytest.raises(OutputError, match="not a map") as caught:
        open_pin("/x", ObjectKind.MAP)
    assert caught.value.code == "pinned-object-kind"


def test_pins_are_found_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links, directories too deep and files behind the limit are left out."""
    deep = tmp_path
    for _ in range(40):
        deep /= "d"
        deep.mkdir()
    (tmp_path / "d/a").touch()
    (tmp_path / "b").touch()
    (tmp_path / "c").symlink_to("b")
    (deep / "e").touch()
    monkeypatch.setattr(module, "bpffs_mounts", lambda: [str(tmp_path)])
    monkeypatch.setattr(module, "_pinned", lambda _: (ObjectKind.MAP, 1))
    key = (ObjectKind.MAP, 1)
    assert pins() == {key: [f"{tmp_path}/b", f"{tmp_path}/d/a"]}
    monkeypatch.setattr(module, "_MOST_ENTRIES", 1)
    assert pins() == {key: [f"{tmp_path}/b"]}
    monkeypatch.setattr(module, "_pinned", lambda _: None)
    assert pins() == {}


def test_unpin(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    unpin(f"{tmp_path}/x")
    with pytest.raises(PathError, match="cannot unpin: no such file"):
        unpin(f"{tmp_path}/x")


@pytest.mark.parametrize(
    ("kind", "answers", "flags"),
    [
        pytest.param(ObjectKind.MAP, [0], [MapFlags.RDONLY], id="map"),
        pytest.param(ObjectKind.LINK, [0], [0], id="link"),
        pytest.param(None, [0], [MapFlags.RDONLY], id="who knows"),
        pytest.param(None, [errno.EINVAL, 0], [MapFlags.RDONLY, 0], id="a link after all"),
        pytest.param(ObjectKind.MAP, [errno.EINVAL], [MapFlags.RDONLY], id="a link, not a map"),
    ],
)
def test_reading_asks_for_no_more(
    kind: ObjectKind | None, answers: list[int], flags: list[int]
) -> None:
    kernel = FakeKernel()
    kernel.on(Cmd.OBJ_GET, *(-one if one else kernel.new_fd for one in answers))
    with kernel, pytest.raises((OutputError, PathError)):  # what we hand out is no BPF object
        open_pin("/pin", kind, read_only=True)
    assert [call.attr.file_flags for call in kernel.calls] == flags
