"""Packages of Debian's suites: fetched into the cache, unpacked, never installed."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from tests.vm import apt
from tests.vm.cache import cache
from tests.vm.errors import patiently
from tests.vm.packages import newest
from tests.vm.tools import run

if TYPE_CHECKING:
    from pathlib import Path

THIS, NEXT, SID = "bookworm", "trixie", "sid"


@functools.cache
def _index(suite: str) -> str:
    archive = apt.archives()[apt.DEBIAN]
    return patiently(
        f"read the index of {suite}",
        lambda: apt.index_of(archive, suite, cache() / "indexes"),
    )


def fetch(suite: str, name: str) -> Path:
    """Return the newest package of a name in a suite. Raises: VmError."""
    package = newest(_index(suite), re.escape(name))
    target = cache() / "packages" / package.filename.rpartition("/")[2]
    address = f"{apt.archives()[apt.DEBIAN]}/{package.filename}"
    return patiently(
        f"fetch {name} {package.version}",
        lambda: apt.download(address, target, package.sha256),
    )


def unpack(suite: str, name: str, tree: Path) -> None:
    """Unpack the newest package of a name over a directory. Raises: VmError."""
    run("dpkg-deb", "-x", str(fetch(suite, name)), str(tree))
