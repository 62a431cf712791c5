"""The newest bpftool with the libraries it was built for, to run on any machine."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.corpus import places
from tests.corpus.debian import NEWEST, NEXT, unpack
from tests.vm.cache import built

if TYPE_CHECKING:
    from pathlib import Path

LIBRARIES = ("libc6", "libcap2", "libelf1t64", "libssl3t64", "libzstd1", "zlib1g")
LIBRARY_DIRECTORY = "usr/lib/x86_64-linux-gnu"
LOADER = "ld-linux-x86-64.so.2"
LAUNCHER = f"""\
#!/bin/sh
here=$(dirname "$0")
exec "$here/{LOADER}" --library-path "$here" "$here/bpftool.real" "$@"
"""


def prepare() -> Path:
    """Return the launcher of bpftool, made when it is missing. Raises: VmError."""
    launcher = places.bpftool()
    if not launcher.exists():
        with built(launcher.parent) as work:
            _build(work)
    return launcher


def _build(work: Path) -> None:
    tree = work / "tree"
    unpack(NEWEST, "bpftool", tree)
    for library in LIBRARIES:
        unpack(NEXT, library, tree)
    (tree / "usr/sbin/bpftool").rename(work / "bpftool.real")
    for path in (tree / LIBRARY_DIRECTORY).glob("*.so*"):
        shutil.copy2(path, work / path.name)
    shutil.rmtree(tree)
    launcher = work / "bpftool"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
