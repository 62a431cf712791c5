"""Programs that count what one process does, and things for it to do."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpfctl.elf.reader import read_object
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.map import Map
from tests.cli.runner import in_process
from tests.kernel.conftest import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.runner import Done

OWN_NAME = f"b{os.getpid() % 10**7:07}"
LIBC = ctypes.CDLL("libc.so.6")


@dataclass(frozen=True)
class Probed:
    """A loaded program, pinned at `prog`, and where its link goes."""

    prog: str
    link: str
    variables: Map

    def create(self, *words: str) -> Done:
        """Attach it, with a pin for the link."""
        return in_process("link", "create", self.prog, *words, "--pin", self.link)

    def shown(self) -> Any:
        """Return what `link show` says of the link."""
        done = in_process("-j", "link", "show", self.link)
        assert done.status == 0, done.out
        return done.json

    def counted(self) -> tuple[int, int]:
        """Return how often it ran, and the sum of the cookies it saw."""
        value = self.variables.lookup(bytes(4))
        runs, cookies = (int.from_bytes(value[at : at + 8], "little") for at in (0, 8))
        return runs, cookies


@contextmanager
def named(name: str) -> Iterator[None]:
    """Give this thread a name of its own."""
    place = Path("/proc/thread-self/comm")
    before = place.read_text().removesuffix("\n")
    place.write_text(name)
    try:
        yield
    finally:
        place.write_text(before)


@contextmanager
def probed(
    name: str, place: Path, *, of: str = "probes", everybody: bool = False
) -> Iterator[Probed]:
    """Load one program of an object; it counts what this thread does, unless it is everybody.

    Numbers of processes would not do: here they may be others than in the kernel's view.
    """
    options = LoadOptions(programs=frozenset({name}))
    with named(OWN_NAME), load(read_object(str(DATA / f"{of}.bpf.o")), options) as loaded:
        with Map(loaded.maps[f"{of}.data"].fd.duplicate()).fd as fd:
            Map(fd).update(bytes(4), bytes(8) if everybody else OWN_NAME.encode())
        loaded.pin_program(name, str(place / "prog"))
        found = Map(loaded.maps[f"{of}.bss"].fd.duplicate())
        with found.fd:
            yield Probed(str(place / "prog"), str(place / "link"), found)


def unlink() -> None:
    """Remove a file."""
    number, path = tempfile.mkstemp()
    os.close(number)
    Path(path).unlink()


def fork() -> None:
    """Make a process."""
    subprocess.run(["true"], check=True)


def call_libc() -> None:
    """Call a function of the C library that nobody else calls."""
    assert LIBC.a64l(b"./") == 64


def burn() -> None:
    """Use the CPU for a moment."""
    deadline = time.process_time() + 0.2
    while time.process_time() < deadline:
        pass


def touch() -> None:
    """Use 16 pages of memory for the first time."""
    with mmap.mmap(-1, 16 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(16):
            memory[page * mmap.PAGESIZE] = 1
