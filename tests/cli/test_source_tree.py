"""A source tree that is not installed, in the current directory of `python -m bpfctl`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent / "bpfctl"


def run_beside(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m bpfctl version` in the directory that holds a tree, without what is installed.

    -S leaves out site-packages, and with it an editable install.
    """
    words = [sys.executable, "-S", "-m", "bpfctl", "version"]
    return subprocess.run(words, cwd=tree, check=False, capture_output=True, text=True)


def test_it_says_so_without_a_traceback(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "bpfctl", ignore=shutil.ignore_patterns("_cffi.py"))
    done = run_beside(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("bpfctl: this source tree is not installed")
    assert "Traceback" not in done.stderr
