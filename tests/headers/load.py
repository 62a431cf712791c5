"""Load the programs of a directory into the running kernel, and let events happen: the values that
contexts name must be right. `python -m tests.headers.load DIR` also runs in machines without clang.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.btf.types import Datasec
from bpfctl.elf.reader import read_object
from bpfctl.errors import BpfctlError
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.attach import create_link
from bpfctl.objects.attach_iter import link_iterator
from bpfctl.objects.attach_targets import Iter, Loaded
from bpfctl.objects.iter import open_iter, read_iter
from bpfctl.objects.map import Map
from bpfctl.objects.prog import prog_info
from tests.headers.targets import LEAST, LOADED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.loader.loaded import LoadedObject

LOG_LINES = 5  # of the verifier's, for what it refused
KEEP_SIZE, OFFSET = 1, 4096  # FALLOC_FL_KEEP_SIZE; live.bpf.c has the same


def load_all(path: Path, traceable: frozenset[str]) -> tuple[int, dict[str, str]]:
    """Load the programs of an object, of those on functions LOADED that the kernel has.

    Return how many, and what the kernel said of those it refused.
    """
    spec = read_object(str(path))
    names = [
        one.name
        for one in spec.programs
        if not one.section.text.startswith(("fentry", "fexit"))
        or one.section.text.partition("/")[2] in traceable
    ]
    names = names[:LOADED] if len(names) < len(spec.programs) else names
    try:
        load(spec, LoadOptions(programs=frozenset(names))).close()
    except BpfctlError:
        return len(names), load_each(spec, names)
    return len(names), {}


def load_each(spec: ObjectSpec, names: Iterable[str]) -> dict[str, str]:
    """Load each program by itself; return what the kernel said of those it refused."""
    refused = {}
    for program in spec.programs:
        if program.name in names:
            try:
                load(spec, LoadOptions(programs=frozenset({program.name}))).close()
            except BpfctlError as err:
                log = getattr(err, "log", "").splitlines()[-LOG_LINES:]
                refused[program.section.text] = "\n".join([str(err), *log])
    return refused


def traceable_functions() -> frozenset[str]:
    """The functions that the kernel lets programs attach to; none where it does not say."""
    place = Path("/sys/kernel/tracing")
    if not (place / "tracing_on").exists():
        subprocess.run(["mount", "-t", "tracefs", "tracefs", str(place)], check=False)
    try:
        lines = (place / "available_filter_functions").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(line.partition(" ")[0] for line in lines)


def watch(path: Path) -> dict[str, tuple[int, int]]:
    """Attach the programs of live.bpf.o, cause events, and return what they counted."""
    with tempfile.NamedTemporaryFile() as file, ExitStack() as stack:
        settings = (f"me={os.getpid()}", f"inode={os.fstat(file.fileno()).st_ino}")
        loaded = stack.enter_context(load(read_object(str(path)), LoadOptions(globals=settings)))
        for program in loaded.programs.values():
            if not program.spec.section.text.startswith("iter"):
                link = create_link(program.fd, prog_info(program.fd), Loaded())
                stack.enter_context(link)
        _cause_events(file.name)
        return {**_counted(loaded), "listed": _listed(loaded)}


def _cause_events(path: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(path).open("rb+") as file:
        result = libc.fallocate(
            file.fileno(), KEEP_SIZE, ctypes.c_int64(OFFSET), ctypes.c_int64(2 * OFFSET)
        )
    assert result == 0, os.strerror(ctypes.get_errno())
    for _ in range(5):
        time.sleep(0.01)  # nobody sleeps without being switched away from


def _counted(loaded: LoadedObject) -> dict[str, tuple[int, int]]:
    (bss,) = (one for name, one in loaded.maps.items() if name.endswith(".bss"))
    with Map(bss.fd.duplicate()) as opened:
        value = opened.lookup((0).to_bytes(4, sys.byteorder))
    spec = loaded.spec
    assert spec.btf is not None
    section = spec.btf.type(bss.spec.value_type_id)
    assert isinstance(section, Datasec)
    return {
        spec.btf.name(one.type_id): struct.unpack_from("=QQ", value, one.offset)
        for one in section.vars
    }


def _listed(loaded: LoadedObject) -> tuple[int, int]:
    """Whether the iterator found this process (right) and numbered all lines (wrong if not)."""
    with link_iterator(loaded.programs["show_task"].fd, Iter()) as link, open_iter(link) as walk:
        lines = b"".join(read_iter(walk)).decode().splitlines()
    numbers = [int(line.split()[1]) for line in lines]
    found = str(os.getpid()) in [line.split()[0] for line in lines]
    return int(found), int(numbers != list(range(len(numbers))))


def complaints(place: Path, words: tuple[str, ...]) -> list[str]:
    """Load everything, and say what is wrong; `words` are the kinds of programs that must load."""
    found = []
    traceable = traceable_functions() if "fentry" in words else frozenset[str]()
    for word in words:
        count, refused = load_all(place / f"{word}.bpf.o", traceable)
        print(f"{word}: {count - len(refused)} of {count} programs load", flush=True)
        found += [f"{section}: {reason}" for section, reason in refused.items()]
        if count - len(refused) < LEAST[word]:
            found.append(f"{word}: fewer than {LEAST[word]} programs load")
    counts = watch(place / "live.bpf.o")
    print(f"events: {json.dumps(counts)}", flush=True)
    found += [f"{name}: {pair}" for name, pair in counts.items() if not pair[0] or pair[1]]
    return found


if __name__ == "__main__":
    wrong = complaints(Path(sys.argv[1]), tuple(LEAST))
    print("\n".join(wrong))
    sys.exit(bool(wrong))
