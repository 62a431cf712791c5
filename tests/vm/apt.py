"""Debian's archives as the machine's apt knows them: addresses, releases, indexes."""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

from tests.vm.errors import VmError
from tests.vm.tools import run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INDEX = "main/binary-amd64/Packages.xz"
DEBIAN, SECURITY = "Debian", "Debian-Security"  # labels of the archives that Debian has


def archives() -> dict[str, str]:
    """Return the archives in the machine's apt configuration: label to address, no slash behind.

    Raises: VmError when apt has no list of either of Debian's.
    """
    lines = run(
        *("apt-get", "indextargets", "--format", "$(LABEL)\t$(REPO_URI)"), "Created-By: Packages"
    ).decode()
    found: dict[str, str] = {}
    for line in lines.splitlines():
        label, _, address = line.partition("\t")
        found.setdefault(label, address.rstrip("/"))
    if DEBIAN not in found:
        raise VmError("apt knows no archive of Debian here: run apt-get update, or see its sources")
    # The security archive lies beside the main one on every mirror that has both.
    found.setdefault(SECURITY, f"{found[DEBIAN]}-security")
    return found


def download(address: str, target: Path, sha256: str | None = None) -> Path:
    """Fetch a file as apt does (its proxies, its certificates), unless it is there already.

    With a checksum, what is there or what comes is verified. Raises: VmError.
    """
    if sha256 and target.exists() and checksum(target) == sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    arriving = target.with_name(f"{target.name}.arriving")
    arriving.unlink(missing_ok=True)
    # The helper runs as apt's own user otherwise, who may not write into the cache.
    run("/usr/lib/apt/apt-helper", "-o", "APT::Sandbox::User=root", "download-file", address,
        str(arriving))  # fmt: skip
    if sha256 and checksum(arriving) != sha256:
        arriving.unlink()
        raise VmError(f"{address} has not the checksum that the archive promises: {sha256}")
    return arriving.replace(target)


def checksum(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def index_of(archive: str, suite: str, place: Path) -> str:
    """Return the text of a suite's index of packages, verified; `place` keeps the files."""
    release = download(f"{archive}/dists/{suite}/InRelease", place / f"{suite}.InRelease")
    sha256 = checksums(signed_text(release)).get(INDEX)
    if sha256 is None:
        raise VmError(f"{archive} {suite}: its release file lists no {INDEX}")
    # Asking by checksum: the archive may change between the two requests.
    address = f"{archive}/dists/{suite}/{INDEX.rpartition('/')[0]}/by-hash/SHA256/{sha256}"
    return lzma.decompress(download(address, place / f"{suite}.xz", sha256).read_bytes()).decode()


def signed_text(release: Path) -> str:
    """Return what the archive's key signed; without the keyring, what the file says."""
    if KEYRING.exists():
        return run("gpgv", "-q", "--keyring", str(KEYRING), "--output", "-", str(release)).decode()
    print(f"{KEYRING} is missing: the signature of {release.name} is not checked")
    return release.read_text()


def checksums(release: str) -> dict[str, str]:
    """Return the SHA-256 of each file that a release file lists."""
    found: dict[str, str] = {}
    inside = False
    for line in release.splitlines():
        if not line.startswith(" "):
            inside = line.startswith("SHA256:")
        elif inside:
            sha256, _size, name = line.split()
            found[name] = sha256
    return found
