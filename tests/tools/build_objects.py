"""Compile the BPF test objects, or check that they are what their sources give.

Usage: python -m tests.tools.build_objects [--check] [NAME...]

The sources include nothing from the machine and no path enters the objects: the same compiler
(Debian 12's clang 14) gives the same bytes anywhere.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests" / "bpf"
COMPILER = "clang-14"
STRIP = "llvm-strip-14"
FLAGS = (
    *("-g", "-O2", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror"),
    *("-Wno-unused-function", "-Wno-unused-variable", "-Wno-unused-const-variable"),
    "-Wno-ignored-attributes",  # SEC() on declarations
    *("-nostdinc", f"-fdebug-prefix-map={SOURCES}="),
)
SHIPPED = {"demo"}  # part of the package; the others are for tests only


def main(arguments: list[str] | None = None) -> int:
    """Build or check; return the exit status."""
    parser = argparse.ArgumentParser(description="compile the BPF test objects")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (maps, demo, ...)")
    options = parser.parse_args(arguments)
    sources = [
        source
        for source in sorted(SOURCES.glob("*.bpf.c"))
        if not options.names or _stem(source) in options.names
    ]
    with ThreadPoolExecutor() as pool:
        built = list(pool.map(compile_object, sources))
    stale = [target(s) for s, new in zip(sources, built, strict=True) if not _same(s, new)]
    if not options.check:
        for source, new in zip(sources, built, strict=True):
            if not _same(source, new):
                target(source).write_bytes(new)
    verb = "differs from its source" if options.check else "written"
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {verb}")
    return 1 if stale and options.check else 0


def compile_object(source: Path) -> bytes:
    """Return the object a source gives."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.bpf.o")
        command = [COMPILER, *FLAGS, "-c", source.name, "-o", str(out)]
        subprocess.run(command, cwd=SOURCES, check=True)
        subprocess.run([STRIP, "-g", str(out)], check=True)  # DWARF out, BTF stays
        return out.read_bytes()


def target(source: Path) -> Path:
    """Say where the object of a source is kept."""
    folder = ROOT / ("bpfctl/data" if _stem(source) in SHIPPED else "tests/data")
    return folder / f"{_stem(source)}.bpf.o"


def _stem(source: Path) -> str:
    return source.name.removesuffix(".bpf.c")


def _same(source: Path, new: bytes) -> bool:
    path = target(source)
    return path.exists() and path.read_bytes() == new


if __name__ == "__main__":
    sys.exit(main())
