"""A load imports what it needs: each module too many is paid for by every load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import _cffi_backend

import bpfctl

IMPORTED = """
import sys
from bpfctl.commands.main import main
main(sys.argv[1:])
print(*sorted(sys.modules))
"""
# For others than a plain CO-RE object: large tables, things for errors, slow libraries.
NOT_NEEDED = {
    "bpfctl.asm.disasm",
    "bpfctl.btf.encode",
    "bpfctl.btf.sanitize",
    "bpfctl.explain.engine",
    "bpfctl.explain.load_failure",
    "bpfctl.features.probe",
    "bpfctl.kernel.uapi_helpers",
    "bpfctl.loader.verifier_log",
    "bpfctl.rejected",
    "gzip",
    "hashlib",
    "importlib.metadata",
    "pyroute2",
    "rich",
    "tabulate",
}


def test_a_plain_load_imports_nothing_for_others(data: Path, bpffs: Path) -> None:
    words = ["prog", "loadall", str(data / "core.bpf.o"), str(bpffs / "core")]
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words], check=True, capture_output=True, text=True
    )
    modules = set(done.stdout.split())
    assert "bpfctl.loader.core_fit" in modules
    assert modules & NOT_NEEDED == set()


# Those of the standard library that cost more than our own work does. Finding the package of a
# development install takes some of them, so that this one is laid out as a wheel is.
ALONE = """
import sys
sys.path += sys.argv[1:3]
before = set(sys.modules)
from bpfctl.__main__ import main as run
from bpfctl.commands.main import main
main(sys.argv[3:])
print(*sorted(set(sys.modules) - before))
"""
DEAR = {
    "array", "collections", "contextlib", "dataclasses", "elftools", "enum", "functools",
    "importlib", "inspect", "json", "operator", "pathlib", "re", "signal", "typing", "typer",
}  # fmt: skip


def test_a_plain_load_imports_nothing_dear(data: Path, bpffs: Path, tmp_path: Path) -> None:
    ours = Path(bpfctl.__file__).parent
    (tmp_path / "bpfctl").mkdir()
    places = {place.name: place for place in (ours.parent / "commands", *ours.iterdir())}
    for name, place in places.items():
        (tmp_path / "bpfctl" / name).symlink_to(place)
    libraries = Path(_cffi_backend.__file__).parent
    words = ["prog", "loadall", str(data / "core.bpf.o"), str(bpffs / "core")]
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", ALONE, str(tmp_path), str(libraries), *words],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    modules = set(done.stdout.split())
    assert "bpfctl.loader.core_fit" in modules
    assert modules & DEAR == set()
