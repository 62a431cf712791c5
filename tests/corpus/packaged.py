"""The objects that Debian's packages bring: as files, or inside of executables."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.corpus import places
from tests.corpus.debian import NEXT, THIS, unpack
from tests.corpus.embedded import cut
from tests.vm.cache import built

SUITES = (THIS, NEXT)  # compilers and libraries of two years each
PACKAGES = ("xdp-tools", "libxdp1", "libbpf-tools")


def prepare() -> None:
    """Place the objects of the packages in the corpus, where they are missing."""
    for suite in SUITES:
        for package in PACKAGES:
            target = places.objects() / f"{package}-{suite}"
            if not target.is_dir():
                with built(target) as work, tempfile.TemporaryDirectory() as tree:
                    unpack(suite, package, Path(tree))
                    _files(Path(tree), work)
                    _insides(Path(tree), work)


def _files(tree: Path, target: Path) -> None:
    for path in tree.glob("usr/lib/**/bpf/*.o"):
        shutil.copy(path, target / path.name)


def _insides(tree: Path, target: Path) -> None:
    for path in tree.glob("usr/sbin/*"):
        if path.is_file() and not path.is_symlink():
            for number, found in enumerate(cut(path.read_bytes())):
                (target / f"{path.name}.{number}.o").write_bytes(found)
