"""The cache directory: what is fetched and built once, and locks for those who do it at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOTS = 2  # machines side by side: those who develop this have two cores
ASK_AGAIN_S = 0.5


def cache() -> Path:
    """Return the directory, made when it is missing: $XDG_CACHE_HOME/bpfctl-vm or the default."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    place = Path(base) / "bpfctl-vm"
    place.mkdir(parents=True, exist_ok=True)
    return place


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Keep others out while we build something."""
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def slot() -> Iterator[int]:
    """Wait for one of the places for running machines, and hold it."""
    while True:
        for number in range(SLOTS):
            with (cache() / f"slot{number}.lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                yield number
                return
        time.sleep(ASK_AGAIN_S)


@contextmanager
def built(target: Path) -> Iterator[Path]:
    """Give an empty directory beside `target` that becomes `target` when all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    work.chmod(0o755)  # a root file system is built in one; mkdtemp's 0700 would become that of /
    try:
        yield work
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
