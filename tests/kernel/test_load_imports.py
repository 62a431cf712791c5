"""A load imports what it needs: each module too many is paid for by every load."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

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
