"""The newest libbpf of Debian, behind a program that loads one program of an object with it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.corpus import compiler, places, reference
from tests.corpus.debian import SID, unpack
from tests.vm.tools import run

SOURCE = Path(__file__).parent / "load_one.c"
PACKAGES = ("libbpf1", "libbpf-dev")
LIBRARY_DIRECTORY = "usr/lib/x86_64-linux-gnu"


def prepare() -> None:
    """Compile the program, and place it and the library beside bpftool. Raises: VmError."""
    target = places.load_one()
    if target.exists():
        return
    reference.prepare()
    tree = compiler.tree()
    with tempfile.TemporaryDirectory(dir=tree) as work:
        for package in PACKAGES:
            unpack(SID, package, Path(work))
        shutil.copy(SOURCE, work)
        inside = f"/{Path(work).name}"
        libraries = f"{inside}/{LIBRARY_DIRECTORY}"
        run(
            *("chroot", str(tree), compiler.CLANG, "-O2", "-Wall", "-Werror"),
            *(f"-I{inside}/usr/include", f"{inside}/{SOURCE.name}", "-o", f"{inside}/load_one"),
            *(f"{libraries}/libbpf.so", "-Wl,--allow-shlib-undefined"),
        )
        library = next(Path(work, LIBRARY_DIRECTORY).glob("libbpf.so.1.*"))
        shutil.copy(library, target.with_name("libbpf.so.1"))
        shutil.copy(Path(work, "load_one"), target.with_name("load_one.real"))
    target.write_text(reference.LAUNCHER.replace("bpftool.real", "load_one.real"))
    target.chmod(0o755)
