"""The kernel's own tool for verifier statistics, to compare with: newer than the root's suite."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from tests.vm import apt, newest_bpftool
from tests.vm.cache import built, cache, locked
from tests.vm.errors import VmError, patiently
from tests.vm.packages import newest
from tests.vm.tools import run

if TYPE_CHECKING:
    from pathlib import Path

NAME = "veristat"
SUITE = "trixie"
PACKAGES = ("veristat", "libbpf1")
LIBRARY = "libbpf.so.1"
LAUNCHER = f"""\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/{newest_bpftool.LOADER}" --library-path "$here" "$here/{NAME}.real" "$@"
"""


def install(own: Path) -> None:
    """Copy it into a directory that has a `bin`, and make it a command there."""
    shutil.copytree(fetched(), own / NAME)
    (own / "bin" / NAME).symlink_to(f"../{NAME}/{NAME}")


def fetched() -> Path:
    """Return its directory, fetched once. Raises: VmError when it cannot be had."""
    with locked(NAME):
        if cached() is None:
            patiently(f"fetch {NAME}", _fetch)
    known = cached()
    if known is None:
        raise VmError(f"the packages have no {NAME}")
    return known


def cached() -> Path | None:
    """Return its directory when the cache has it."""
    place = _place()
    return place if place.is_dir() else None


def _place() -> Path:
    recipe = repr((SUITE, PACKAGES, LAUNCHER, newest_bpftool.PACKAGES))
    return cache() / f"{NAME}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _fetch() -> None:
    """Put it beside the loader and the libraries of the newest bpftool, which it needs too."""
    archive = apt.archives()[apt.DEBIAN]
    with built(_place()) as work:
        shutil.copytree(newest_bpftool.fetched(), work, dirs_exist_ok=True)
        tree = work / "tree"
        index = apt.index_of(archive, SUITE, cache() / "indexes")
        for name in PACKAGES:
            newest_bpftool.unpack(newest(index, name), archive, tree)
        shutil.copy(newest_bpftool.one(tree, NAME), work / f"{NAME}.real")
        shutil.copy(newest_bpftool.one(tree, LIBRARY), work / LIBRARY)
        (work / NAME).write_text(LAUNCHER)
        (work / NAME).chmod(0o755)
        run("rm", "-rf", str(tree))
