"""What is fetched is verified, and what does not verify is not kept."""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

import pytest

from tests.vm import apt
from tests.vm.errors import VmError

WORDS = b"Package: one\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """An archive: address to content. gpgv gives what it is given."""
    content: dict[str, bytes] = {}

    def run(name: str, *words: str, data: bytes | None = None) -> bytes:
        if name == "gpgv":
            return Path(words[-1]).read_bytes()
        address, target = words[-2:]
        if address not in content:
            raise VmError(f"404 {address}")
        Path(target).write_bytes(content[address])
        return b""

    monkeypatch.setattr(apt, "run", run)
    return content


def test_download(network: dict[str, bytes], tmp_path: Path) -> None:
    network["x:/a"] = WORDS
    target = tmp_path / "new" / "a"
    assert apt.download("x:/a", target, sha256(WORDS)) == target
    assert target.read_bytes() == WORDS


def test_not_fetched_twice(network: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(WORDS)
    assert apt.download("x:/a", tmp_path / "a", sha256(WORDS)).read_bytes() == WORDS


def test_what_is_there_is_verified(network: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"half")
    network["x:/a"] = WORDS
    assert apt.download("x:/a", tmp_path / "a", sha256(WORDS)).read_bytes() == WORDS


def test_what_comes_is_verified(network: dict[str, bytes], tmp_path: Path) -> None:
    network["x:/a"] = b"evil"
    with pytest.raises(VmError, match="not the checksum"):
        apt.download("x:/a", tmp_path / "a", sha256(WORDS))
    assert list(tmp_path.iterdir()) == []


def test_index(network: dict[str, bytes], tmp_path: Path) -> None:
    packed = lzma.compress(WORDS)
    network["x:/dists/s/InRelease"] = f"SHA256:\n {sha256(packed)} 9 {apt.INDEX}\n".encode()
    network[f"x:/dists/s/main/binary-amd64/by-hash/SHA256/{sha256(packed)}"] = packed
    assert apt.index_of("x:", "s", tmp_path) == WORDS.decode()


def test_release_without_the_index(network: dict[str, bytes], tmp_path: Path) -> None:
    network["x:/dists/s/InRelease"] = b"SHA256:\n 00 9 main/other\n"
    with pytest.raises(VmError, match="lists no main/binary-amd64"):
        apt.index_of("x:", "s", tmp_path)


def test_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b"Debian\tx:/debian/\nDebian\tx:/debian/\nOther\tx:/other/\n"
    monkeypatch.setattr(apt, "run", lambda *words: lines)
    assert apt.archives() == {
        "Debian": "x:/debian",
        "Other": "x:/other",
        "Debian-Security": "x:/debian-security",
    }


def test_no_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "run", lambda *words: b"")
    with pytest.raises(VmError, match="apt-get update"):
        apt.archives()
