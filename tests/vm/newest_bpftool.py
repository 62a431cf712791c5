"""The newest bpftool that Debian has, with the libraries it wants: another one to compare with.

The root's own is that of its suite, and too old for what the newest kernels say.
"""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from tests.vm import apt
from tests.vm.cache import built, cache, locked
from tests.vm.errors import VmError, patiently
from tests.vm.packages import newest
from tests.vm.tools import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.vm.packages import Package

NAME = "bpftool-newest"
LOADER = "ld-linux-x86-64.so.2"
PACKAGES = {  # by suite: the program, and what is loaded with it
    "trixie-backports": ("bpftool",),
    "trixie": ("libc6", "libelf1t64", "libcap2", "zlib1g", "libzstd1", "libssl3t64"),
}
LIBRARIES = ("libc.so.6", "libelf.so.1", "libcap.so.2", "libz.so.1", "libzstd.so.1")
LAUNCHER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/{loader}" --library-path "$here" "$here/bpftool" "$@"
"""


def install(own: Path) -> None:
    """Copy it into a directory that has a `bin`, and make it a command there."""
    shutil.copytree(fetched(), own / NAME)
    (own / "bin" / NAME).symlink_to(f"../{NAME}/{NAME}")


def fetched() -> Path:
    """Return the directory of `NAME`, fetched once. Raises: VmError when it cannot be had."""
    with locked(NAME):
        known = cached()
        if known is None:
            patiently("fetch the newest bpftool", _fetch)
    known = cached()
    if known is None:
        raise VmError(f"the packages have no {NAME}")
    return known


def cached() -> Path | None:
    """Return the directory of `NAME` when the cache has it."""
    place = _place()
    return place if place.is_dir() else None


def _place() -> Path:
    """Return where it belongs: anew for other packages, libraries or another launcher."""
    recipe = repr((PACKAGES, LIBRARIES, LAUNCHER))
    return cache() / f"{NAME}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _fetch() -> None:
    archive = apt.archives()[apt.DEBIAN]
    with built(_place()) as work:
        tree = work / "tree"
        for suite, names in PACKAGES.items():
            index = apt.index_of(archive, suite, cache() / "indexes")
            for name in names:
                unpack(newest(index, name), archive, tree)
        for name in ("bpftool", LOADER, *LIBRARIES, "libcrypto.so.3"):
            shutil.copy(one(tree, name), work / name)
        launcher = work / NAME
        launcher.write_text(LAUNCHER.format(loader=LOADER))
        launcher.chmod(0o755)
        run("rm", "-rf", str(tree))


def unpack(package: Package, archive: str, tree: Path) -> None:
    """Fetch a package and unpack it over a directory. Raises: VmError."""
    print(f"tests.vm: fetching {package.name} {package.version}", flush=True)
    target = cache() / "packages" / package.filename.rpartition("/")[2]
    deb = apt.download(f"{archive}/{package.filename}", target, package.sha256)
    run("dpkg-deb", "-x", str(deb), str(tree))


def one(tree: Path, name: str) -> Path:
    """Return the file of a name that is a program or library."""
    for found in sorted(tree.rglob(name)):
        if found.is_file() and not {"doc", "bash-completion"} & set(found.parts):
            return found
    raise VmError(f"the packages have no {name}")
