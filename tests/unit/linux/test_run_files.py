"""Files left for later commands: read only when nobody else can have written them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bpfctl.linux.run_files import RunFiles, boot_id

ME = os.geteuid()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def files(folder: Path) -> RunFiles:
    return RunFiles(str(folder), ME)


def test_what_was_written_is_read(files: RunFiles, folder: Path) -> None:
    assert files.read("index") is None
    assert files.write("index", b"one")
    assert files.write("index", b"two")
    found = files.read("index")
    assert found is not None
    assert bytes(found) == b"two"
    assert [place.name for place in folder.iterdir()] == ["index"]
    assert (folder / "index").stat().st_mode & 0o777 & ~0o644 == 0


def test_the_boot_has_a_number() -> None:
    assert boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_no_number_where_proc_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object, **more: object) -> None:
        raise FileNotFoundError(words)

    monkeypatch.setattr("builtins.open", refuse)
    assert boot_id() is None


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_others_may_write_is_not_read(files: RunFiles, folder: Path, mode: int) -> None:
    assert files.write("index", b"one")
    (folder / "index").chmod(mode)
    assert files.read("index") is None


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_others_may_write_is_not_used(files: RunFiles, folder: Path, mode: int) -> None:
    assert files.write("index", b"one")
    folder.chmod(mode)
    assert files.read("index") is None
    assert not files.write("index", b"two")
    assert (folder / "index").read_bytes() == b"one"


def test_a_file_of_somebody_else_is_not_read(files: RunFiles, folder: Path) -> None:
    assert files.write("index", b"one")
    others = RunFiles(str(folder), ME + 1)
    assert others.read("index") is None
    assert not others.write("index", b"two")
    assert (files.writable, others.writable) == (True, False)


def test_links_are_not_followed(files: RunFiles, folder: Path, tmp_path: Path) -> None:
    assert files.write("index", b"one")
    (folder / "link").symlink_to("index")
    assert files.read("link") is None
    (tmp_path / "elsewhere").symlink_to(folder)
    assert RunFiles(str(tmp_path / "elsewhere"), ME).read("index") is None
    target = tmp_path / "precious"
    target.write_bytes(b"precious")
    (folder / "index").unlink()
    (folder / "index").symlink_to(target)
    assert files.write("index", b"two"), "the link is replaced, not what it leads to"
    assert (target.read_bytes(), bytes(files.read("index") or b"")) == (b"precious", b"two")


def test_a_pipe_is_not_waited_for(files: RunFiles, folder: Path) -> None:
    assert files.write("other", b"one")
    os.mkfifo(folder / "index", 0o600)
    assert files.read("index") is None


def test_a_folder_in_a_files_place(files: RunFiles, folder: Path) -> None:
    (folder / "index").mkdir(parents=True, mode=0o755)
    assert files.read("index") is None
    assert not files.write("index", b"one")
    assert [place.name for place in folder.iterdir()] == ["index"], "nothing half-written stays"


def test_a_file_too_large_is_not_read(files: RunFiles, folder: Path) -> None:
    assert files.write("index", b"one")
    os.truncate(folder / "index", (64 << 20) + 1)
    assert files.read("index") is None


def test_a_file_in_the_folders_place(files: RunFiles, folder: Path) -> None:
    folder.write_bytes(b"")
    assert not files.write("index", b"one")
    assert files.read("index") is None


def test_no_place_for_the_folder(tmp_path: Path) -> None:
    files = RunFiles(str(tmp_path / "none" / "run"), ME)
    assert not files.write("index", b"one")
    assert files.read("index") is None


def test_nothing_stays_of_a_write_that_fails(
    files: RunFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*words: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write("index", b"one")
    assert list(folder.iterdir()) == []


def test_the_oldest_go_when_all_take_too_much(files: RunFiles, folder: Path) -> None:
    for age, name in enumerate(("c.log", "b.log", "a.log", "other")):
        assert files.write(name, b"x" * 10)
        os.utime(folder / name, (1000 - age, 1000 - age))
    (folder / "elsewhere.log").symlink_to("/nowhere")
    os.utime(folder / "elsewhere.log", (1, 1), follow_symlinks=False)
    files.trim(".log", 20)
    assert sorted(place.name for place in folder.iterdir()) == ["b.log", "c.log", "other"]
    files.trim(".log", 5)
    assert sorted(place.name for place in folder.iterdir()) == ["c.log", "other"]


def test_there_is_nothing_to_trim(files: RunFiles, folder: Path) -> None:
    files.trim(".log", 0)
    assert not folder.exists()
