"""Damaged objects that can be read end in our error or a load, and leave nothing open.

The kernel is a fake that takes everything, so that all of the loader is reached.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from bpfctl.elf.reader import parse_object
from bpfctl.elf.spec import ObjectSpec
from bpfctl.errors import BpfctlError, ObjectFileError
from bpfctl.kernel.bpf import replaced
from bpfctl.kernel.uapi import Cmd
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from tests.fuzz.test_elf import flipped, tampered

TYPES = Path(__file__).parents[1] / "data/uapi-7.3.btf"
KERNEL = KernelBtf(str(TYPES))
MAKES = frozenset({Cmd.MAP_CREATE, Cmd.PROG_LOAD, Cmd.BTF_LOAD, Cmd.LINK_CREATE})
# A descriptor of what there is would be 0: that of standard input.
LOOKS_FOR = frozenset(
    cmd for cmd in Cmd if cmd == Cmd.OBJ_GET or cmd.name.endswith(("_GET_NEXT_ID", "_FD_BY_ID"))
)

many = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def takes_everything(cmd: int, union: Any, size: int) -> int:
    """Answer as a kernel that holds nothing yet."""
    del union, size
    if cmd in MAKES:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    return -errno.ENOENT if cmd in LOOKS_FOR else 0


def load_all(data: bytes) -> None:
    """Load every program there is; anything but our error fails the test."""
    try:
        spec = parse_object(data, "fuzz.bpf.o")
    except ObjectFileError:
        return
    assert isinstance(spec, ObjectSpec)
    programs = frozenset(one.name for one in spec.programs)
    options = LoadOptions(programs=programs, bpffs="/nonexistent")
    before = sorted(Path("/proc/self/fd").iterdir())
    subject: str | None = "none: it loaded"
    with replaced(takes_everything):
        try:
            with load(spec, options, KERNEL) as loaded:
                assert loaded.programs.keys() == programs
        except BpfctlError as err:
            subject = err.subject
    assert subject
    assert sorted(Path("/proc/self/fd").iterdir()) == before


@many
@given(flipped())
def test_flipped_bytes(data: bytes) -> None:
    load_all(data)


@many
@given(tampered())
def test_nasty_words(data: bytes) -> None:
    load_all(data)
