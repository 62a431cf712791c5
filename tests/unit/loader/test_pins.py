"""Pins that are made together, with the bpffs below them, and go together."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import PathError, SyscallError
from bpfctl.kernel import mount
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import Cmd
from bpfctl.loader import pins as module
from bpfctl.loader.pins import PinSet, pin_path
from bpfctl.objects import pin as objects_pin
from tests.fakes.kernel import FakeKernel

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fd() -> Iterator[Fd]:
    with Fd(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)) as opened:
        yield opened


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the test's directory be where a bpffs belongs; say what was mounted and unmounted."""
    done: list[str] = []

    def ensure(path: str) -> bool:
        done.append(f"mount {path}")
        return len(done) == 1

    monkeypatch.setattr(module, "BPFFS_PLACE", str(tmp_path))
    monkeypatch.setattr(module, "ensure_bpffs", ensure)
    monkeypatch.setattr(mount, "unmount", lambda path: done.append(f"unmount {path}"))
    return done


def test_dots_are_no_part_of_a_name() -> None:
    assert pin_path("/sys/fs/bpf/", "x.rodata") == "/sys/fs/bpf/x_rodata"


def test_a_mount_goes_with_the_pins(mounts: list[str], tmp_path: Path, fd: Fd) -> None:
    pins = PinSet(mount=True)
    with FakeKernel().on(Cmd.OBJ_PIN, 0):
        pins.pin(fd, f"{tmp_path}/a")
        pins.pin(fd, f"{tmp_path}/b")
    assert pins.paths == [f"{tmp_path}/a", f"{tmp_path}/b"]
    pins.undo()
    assert mounts == [f"mount {tmp_path}", f"mount {tmp_path}", f"unmount {tmp_path}"]
    pins.undo()
    assert len(mounts) == 3


def test_a_mount_for_a_pin_that_failed_is_undone(mounts: list[str], tmp_path: Path, fd: Fd) -> None:
    pins = PinSet(mount=True)
    with FakeKernel().on(Cmd.OBJ_PIN, -errno.EPERM), pytest.raises((PathError, SyscallError)):
        pins.pin(fd, f"{tmp_path}/a")
    pins.undo()
    assert mounts == [f"mount {tmp_path}", f"unmount {tmp_path}"]


@pytest.mark.parametrize(
    ("allowed", "place"), [(False, "a"), (True, "sub/a")], ids=["not allowed", "not its place"]
)
def test_nothing_is_mounted(
    allowed: bool, place: str, mounts: list[str], tmp_path: Path, fd: Fd
) -> None:
    with FakeKernel().on(Cmd.OBJ_PIN, 0):
        PinSet(mount=allowed).pin(fd, f"{tmp_path}/{place}")
    assert mounts == []


def test_directories_go_after_what_is_in_them(tmp_path: Path) -> None:
    made, pins = tmp_path / "made", PinSet()
    made.mkdir()
    pins.make_directory(str(made))  # is there, and stays
    pins._made.append(str(made))
    (made / "x").touch()
    pins._made.append(str(made / "x"))
    pins.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_may_end_in_a_slash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects_pin, "is_bpffs", lambda _: True)
    PinSet().make_directory(f"{tmp_path}/made/")
    assert (tmp_path / "made").is_dir()


def test_what_somebody_else_put_there_stays(tmp_path: Path) -> None:
    made, pins = tmp_path / "made", PinSet()
    made.mkdir()
    pins._made.append(str(made))
    (made / "theirs").touch()
    pins.undo()
    assert (made / "theirs").exists()


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_between_a_pin_and_its_record_leaves_nothing(
    tmp_path: Path, fd: Fd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pin(what: Fd, path: str) -> None:
        del what
        Path(path).touch()
        press_ctrl_c()

    monkeypatch.setattr(module, "pin", pin)
    pins = PinSet()
    with pytest.raises(KeyboardInterrupt):
        pins.pin(fd, f"{tmp_path}/x")
    assert pins.paths == [f"{tmp_path}/x"]
    pins.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_signal_between_a_directory_and_its_record_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.mkdir

    def mkdir(path: str, mode: int) -> None:
        make(path, mode)
        press_ctrl_c()

    monkeypatch.setattr(objects_pin, "is_bpffs", lambda _: True)
    monkeypatch.setattr(os, "mkdir", mkdir)
    pins = PinSet()
    with pytest.raises(KeyboardInterrupt):
        pins.make_directory(f"{tmp_path}/made")
    pins.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_signal_does_not_end_the_clean_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins, remove = PinSet(), os.unlink
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
        pins._made.append(str(tmp_path / name))

    def unlink(path: str) -> None:
        press_ctrl_c()
        remove(path)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(KeyboardInterrupt):
        pins.undo()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "bpffs", "code", "words"),
    [
        pytest.param(
            "absent/x", True, "pin-parent-missing", "there is no directory", id="no parent"
        ),
        pytest.param("file", True, "pin-exists", "it exists already", id="a file"),
        pytest.param("file", False, "not-bpffs", "on no bpf file system", id="a file elsewhere"),
        pytest.param("new", False, "not-bpffs", "on no bpf file system", id="no bpffs"),
        pytest.param("a.b", True, "pin-name", "no name with a dot", id="dot"),
    ],
)
def test_a_directory_that_cannot_be(
    name: str,
    bpffs: bool,
    code: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(objects_pin, "is_bpffs", lambda _: bpffs)
    (tmp_path / "file").touch()
    with pytest.raises(PathError, match=words) as caught:
        PinSet().make_directory(f"{tmp_path}/{name}")
    assert (caught.value.code, caught.value.subject) == (code, f"{tmp_path}/{name}")
