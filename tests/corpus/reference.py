"""What bpfctl is compared with: the newest bpftool, and its library with one program at a time."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.corpus import compiler, places
from tests.corpus.debian import SID, unpack
from tests.vm import newest_bpftool
from tests.vm.cache import built
from tests.vm.tools import run

SOURCE = Path(__file__).parent / "load_one.c"
PACKAGES = ("libbpf1", "libbpf-dev")
LIBRARY_DIRECTORY = "usr/lib/x86_64-linux-gnu"


def prepare() -> None:
    """Make the directory of both, with their libraries, where it is missing. Raises: VmError."""
    target = places.bpftool().parent
    if target.is_dir():
        return
    with built(target) as work:
        shutil.copytree(newest_bpftool.fetched(), work, dirs_exist_ok=True)
        _compile(compiler.tree(), work)


def _compile(tree: Path, target: Path) -> None:
    """Compile the source in the compiler's tree against the newest libbpf of Debian."""
    with tempfile.TemporaryDirectory(dir=tree) as work:
        for package in PACKAGES:
            unpack(SID, package, Path(work))
        shutil.copy(SOURCE, work)
        inside = f"/{Path(work).name}"
        run(
            *("chroot", str(tree), compiler.CLANG, "-O2", "-Wall", "-Werror"),
            *(f"-I{inside}/usr/include", f"{inside}/{SOURCE.name}", "-o", f"{inside}/load_one"),
            *(f"{inside}/{LIBRARY_DIRECTORY}/libbpf.so", "-Wl,--allow-shlib-undefined"),
        )
        library = next(Path(work, LIBRARY_DIRECTORY).glob("libbpf.so.1.*"))
        shutil.copy(library, target / "libbpf.so.1")
        shutil.copy(Path(work, "load_one"), target / places.LOAD_ONE)
