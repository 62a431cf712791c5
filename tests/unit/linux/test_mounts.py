"""Mounts, from texts as the kernel writes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from bpfctl.errors import PathError, SyscallError
from bpfctl.kernel import mount as kernel_mount
from bpfctl.linux import mounts as module
from bpfctl.linux.mounts import (
    Mount,
    bpffs_mounts,
    ensure_bpffs,
    is_bpffs,
    mounts,
    parse_mountinfo,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            "36 35 98:7 / /sys/fs/bpf rw,nosuid shared:12 - bpf bpf rw,mode=700",
            Mount("/sys/fs/bpf", "/", "bpf", os.makedev(98, 7), ("rw", "mode=700")),
            id="bpffs",
        ),
        pytest.param(
            "36 35 0:22 /part /mnt rw master:1 propagate_from:2 - ext4 /dev/vda rw",
            Mount("/mnt", "/part", "ext4", os.makedev(0, 22), ("rw",)),
            id="part-with-several-optional-fields",
        ),
        pytest.param(
            r"36 35 0:9 / /a\040b\134c\011 rw - bpf x rw",
            Mount("/a b\\c\t", "/", "bpf", os.makedev(0, 9), ("rw",)),
            id="escapes",
        ),
        pytest.param(
            r"36 35 0:9 / /a\9\04 rw - bpf x rw",
            Mount(r"/a\9\04", "/", "bpf", os.makedev(0, 9), ("rw",)),
            id="no-escapes",
        ),
        pytest.param(
            "36 35 0:9 / /a\r\x0c\x85\u2028b rw - bpf x rw",
            Mount("/a\r\x0c\x85\u2028b", "/", "bpf", os.makedev(0, 9), ("rw",)),
            id="what-else-ends-a-line",
        ),
        pytest.param(
            "36 35 0:9 / /a rw - bpf x", Mount("/a", "/", "bpf", os.makedev(0, 9)), id="no-options"
        ),
        pytest.param("36 35 0:9 / /a rw", None, id="without-the-dash"),
        pytest.param("36 35 x:9 / /a rw - bpf x rw", None, id="no-device"),
        pytest.param("36 - bpf x rw", None, id="too-short"),
        pytest.param("", None, id="empty"),
    ],
)
def test_parse_mountinfo(line: str, expected: Mount | None, tmp_path: Path) -> None:
    place = tmp_path / "mountinfo"
    place.write_bytes(f"{line}\n".encode())
    assert mounts(str(place)) == ([expected] if expected else [])


def write_mountinfo(path: Path, *lines: tuple[str, str, str, int]) -> str:
    """Write mounts given as point, root, kind and device."""
    text = "".join(
        f"1 2 {os.major(device)}:{os.minor(device)} {root} {point} rw - {kind} none rw\n"
        for point, root, kind, device in lines
    )
    (path / "mountinfo").write_text(text)
    return str(path / "mountinfo")


def test_bpffs_mounts_are_those_one_can_reach(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    for name in ("first", "again", "part", "other"):
        (tmp_path / name).mkdir()
    listing = write_mountinfo(
        tmp_path,
        (f"{tmp_path}/first", "/", "bpf", device),
        (f"{tmp_path}/again", "/", "bpf", device),
        (f"{tmp_path}/part", "/part", "bpf", device),
        (f"{tmp_path}/other", "/", "bpf", device + 1),  # hidden: stat says another device
        (f"{tmp_path}/absent", "/", "bpf", device),
        ("/", "/", "ext4", device),
    )
    assert bpffs_mounts(listing) == [f"{tmp_path}/first", f"{tmp_path}/part"]


def test_without_proc_nothing_is_mounted(tmp_path: Path) -> None:
    assert bpffs_mounts(str(tmp_path / "absent")) == []


def test_is_bpffs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    listed = "36 35 {} / /b rw shared:1 - {} none rw\n"
    for kinds, expected in ((["tmpfs", "bpf"], True), (["tmpfs", "bpfs"], False), ([], False)):
        text = "".join(listed.format(number, kind) for kind in kinds)
        found = parse_mountinfo(text + listed.format("98:7", "bpf"), "bpf")
        monkeypatch.setattr(module, "mounts", Mock(return_value=found))
        assert is_bpffs(str(tmp_path)) is expected
        assert not is_bpffs(str(tmp_path / "absent"))


def test_ensure_bpffs_mounts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(kernel_mount, "mount_bpffs", made.append)
    monkeypatch.setattr(module, "is_bpffs", lambda _: bool(made))
    assert ensure_bpffs(str(tmp_path)) is True
    assert ensure_bpffs(str(tmp_path)) is False
    assert made == [str(tmp_path)]


def test_ensure_bpffs_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise SyscallError(1, "mount", f"mount a bpffs at {path}")

    monkeypatch.setattr(kernel_mount, "mount_bpffs", refuse)
    with pytest.raises(PathError) as caught:
        ensure_bpffs(str(tmp_path))
    assert caught.value.code == "bpffs-not-mounted"
    assert caught.value.remedy == f"mount -t bpf bpf {tmp_path}"
    with pytest.raises(PathError, match="no such directory"):
        ensure_bpffs(str(tmp_path / "absent"))
