"""Kernel modules: all of them as a tree for /lib/modules, and the few that the initramfs loads."""

from __future__ import annotations

import lzma
import shutil
from typing import TYPE_CHECKING

from tests.vm.errors import VmError
from tests.vm.tools import run

if TYPE_CHECKING:
    from pathlib import Path

# What it takes to see a virtio disk and mount it. What a kernel has built in is no module there.
EARLY = ("virtio_pci", "virtio_blk", "ext4")


def gather(tree: Path, target: Path) -> str:
    """Move the modules of unpacked packages to `target`/RELEASE, index them, return the release.

    Raises: VmError when the packages hold none.
    """
    target.mkdir()
    found = [*tree.glob("lib/modules/*/kernel"), *tree.glob("usr/lib/modules/*/kernel")]
    if len(found) != 1:
        raise VmError(f"the packages have modules of {len(found)} kernels, not of one")
    place = found[0].parent
    release = place.name
    # depmod wants the modules where a running system has them.
    base = target / "lib" / "modules"
    base.mkdir(parents=True)
    shutil.move(place, base / release)
    run("depmod", "-b", str(target), release)
    (base / release).rename(target / release)
    shutil.rmtree(target / "lib")
    return release


def unpack_early(place: Path, target: Path) -> None:
    """Copy the early modules, unpacked, with their place in the order of loading as a prefix."""
    target.mkdir()
    for number, name in enumerate(order((place / "modules.dep").read_text(), EARLY)):
        packed = (place / name).read_bytes()
        plain = lzma.decompress(packed) if name.endswith(".xz") else packed
        base = name.rpartition("/")[2].removesuffix(".xz")
        (target / f"{number:02}-{base}").write_bytes(plain)


def order(dep: str, wanted: tuple[str, ...]) -> list[str]:
    """Return the files to load, in order, for some modules; modules.dep(5) is `dep`.

    Modules that it does not list are built in.
    """
    depends: dict[str, list[str]] = {}
    path_of: dict[str, str] = {}
    for line in dep.splitlines():
        path, _, needs = line.partition(":")
        depends[path] = needs.split()
        path_of[module_name(path)] = path
    found: list[str] = []
    for name in wanted:
        if name in path_of:
            path = path_of[name]
            found += [*reversed(depends[path]), path]
    return list(dict.fromkeys(found))


def module_name(path: str) -> str:
    """Return the name that the kernel gives a module's file."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")
