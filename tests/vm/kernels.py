"""The kernels of the matrix: where Debian has them, and how they come into the cache."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.vm import apt, images, modules
from tests.vm.cache import built, cache, locked
from tests.vm.errors import LastingError, VmError, patiently
from tests.vm.packages import newest
from tests.vm.tools import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.vm.packages import Package

LAYOUT = 2  # raise it when a kernel's directory gets other content
FRESH_S = 24 * 3600  # how long the newest package of a series stays the newest without asking


@dataclass(frozen=True)
class Series:
    """A series of kernels, the archive and suite that have it, and the packages it consists of.

    `words` are added to its command line.
    """

    name: str
    archive: str
    suite: str
    packages: tuple[str, ...]
    words: str = ""


# From 7.2 on, Debian splits the image; what comes unsigned is the same kernel.
SERIES = (
    Series("5.10", apt.SECURITY, "bullseye-security", (r"linux-image-5\.10\.0-\d+-cloud-amd64",)),
    Series("6.1", apt.DEBIAN, "bookworm", (r"linux-image-6\.1\.0-\d+-cloud-amd64",)),
    Series("6.12", apt.DEBIAN, "trixie", (r"linux-image-6\.12\.[\d.]+\S*-cloud-amd64",)),
    Series(
        "7.3",
        apt.DEBIAN,
        "trixie-backports",
        (
            r"linux-binary-unsigned-7\.3\.[\d.]+\S*-cloud-amd64",
            r"linux-modules-7\.3\.[\d.]+\S*-cloud-amd64",
            r"linux-base-7\.3\.[\d.]+\S*-cloud-amd64",
        ),
        # Without CMPXCHG16B (see qemu.py), kmalloc_nolock and with it arenas and more need caches
        # that are checked (mm/slub.c, Linux 7.3).
        "slab_debug=F,kmalloc-*",
    ),
)
NAMES = tuple(series.name for series in SERIES)


@dataclass(frozen=True)
class Kernel:
    """A kernel in the cache."""

    series: str
    release: str
    place: Path
    words: str = ""

    @property
    def image(self) -> Path:
        """The kernel itself."""
        return self.place / "vmlinuz"

    @property
    def modules(self) -> Path:
        """A file system of all its modules, to be mounted at /lib/modules."""
        return self.place / "modules.img"

    @property
    def early(self) -> Path:
        """Modules that the initramfs needs, unpacked, named in the order of loading."""
        return self.place / "early"


def kernel(name: str, *, ask: bool = False) -> Kernel:
    """Return the newest kernel of a series, fetched when it is not in the cache.

    The archive is asked once a day, or when told to. When it does not answer, the kernel that we
    have will do. Raises: LastingError.
    """
    series = _series(name)
    with locked(f"kernel-{name}"):
        known = cached(name)
        if known and not ask and time.time() - _noted(name).stat().st_mtime < FRESH_S:
            return known
        try:
            return patiently(f"fetch Linux {name}", lambda: _fetch(series))
        except VmError as err:
            if known is None:
                raise LastingError(f"Linux {name} cannot be had: {err}") from err
            print(f"tests.vm: using Linux {known.release} of the cache: {err}")
            return known


def cached(name: str) -> Kernel | None:
    """Return the kernel of a series that is in the cache, without asking for a newer one."""
    try:
        place = cache() / "kernels" / json.loads(_noted(name).read_text())["place"]
    except FileNotFoundError:
        return None
    return _kernel(_series(name), place) if place.is_dir() else None


def _noted(name: str) -> Path:
    return cache() / f"linux-{name}-{LAYOUT}.json"


def _series(name: str) -> Series:
    return next(one for one in SERIES if one.name == name)


def _kernel(series: Series, place: Path) -> Kernel:
    return Kernel(series.name, (place / "release").read_text(), place, series.words)


def _fetch(series: Series) -> Kernel:
    archive = apt.archives()[series.archive]
    index = apt.index_of(archive, series.suite, cache() / "indexes")
    wanted = [newest(index, pattern) for pattern in series.packages]
    place = cache() / "kernels" / f"{series.name}-{wanted[0].version}-{LAYOUT}"
    if not place.is_dir():
        with built(place) as work:
            _unpack(wanted, archive, work)
    _noted(series.name).write_text(json.dumps({"place": place.name}))
    return _kernel(series, place)


def _unpack(wanted: list[Package], archive: str, work: Path) -> None:
    """Make a kernel's directory of its packages."""
    tree = work / "tree"
    for package in wanted:
        print(f"tests.vm: fetching {package.name} {package.version}", flush=True)
        deb = apt.download(
            f"{archive}/{package.filename}",
            cache() / "packages" / package.filename.rpartition("/")[2],
            package.sha256,
        )
        run("dpkg-deb", "-x", str(deb), str(tree))
    # From 7.2 on, Debian has both beside the modules; the guest has no /boot of this kernel.
    _one(tree, "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz*").rename(work / "vmlinuz")
    config = _one(tree, "boot/config-*", "usr/lib/modules/*/config").rename(work / "config")
    found = modules.gather(tree, work / "modules")
    (work / "release").write_text(found)
    config.rename(work / "modules" / found / "config")
    modules.unpack_early(work / "modules" / found, work / "early")
    images.make(work / "modules", work / "modules.img")
    run("rm", "-rf", str(tree), str(work / "modules"))


def _one(tree: Path, *patterns: str) -> Path:
    """Return the first file of some patterns."""
    for found in (found for pattern in patterns for found in tree.glob(pattern)):
        return found
    raise VmError(f"the packages have no {' or '.join(patterns)}")
