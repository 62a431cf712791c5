"""Ten thousand maps: they are read, and nothing stays open when there are too many."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.reader import parse_object
from bpfctl.errors import SyscallError
from bpfctl.kernel.bpf import replaced
from bpfctl.kernel.uapi import Cmd
from bpfctl.loader.pipeline import load
from tests.builders.elf import OBJECT, ElfBuilder

COUNT = 10_000
ROOM = 100
DEFINITION_BYTES = 32


def many_maps() -> bytes:
    """An object with arrays of 4-byte values, one beside the other."""
    types, elf = BtfBuilder(), ElfBuilder()
    number = types.add(t.Int(0, "int", 4, 1, 0, 32))
    says = {
        n: types.add(t.Ptr(0, "", types.add(t.Array(0, "", number, number, n)))) for n in (1, 2, 4)
    }
    fields = (("type", 2), ("key_size", 4), ("value_size", 4), ("max_entries", 1))
    members = tuple(t.Member(name, says[n], 64 * at) for at, (name, n) in enumerate(fields))
    definition = types.add(t.Struct(0, "", DEFINITION_BYTES, members))
    places = range(0, COUNT * DEFINITION_BYTES, DEFINITION_BYTES)
    ids = [types.add(t.Var(0, f"m{at}", definition, 1)) for at in places]
    entries = (t.VarSecinfo(one, at, DEFINITION_BYTES) for one, at in zip(ids, places, strict=True))
    types.add(t.Datasec(0, ".maps", COUNT * DEFINITION_BYTES, tuple(entries)))
    elf.function("nothing", "xdp")
    section = elf.section(".maps", bytes(COUNT * DEFINITION_BYTES), flags=3)
    for at in places:
        elf.symbol(f"m{at}", section, at, DEFINITION_BYTES, type=OBJECT)
    elf.section(".BTF", types.build(), flags=0)
    return elf.build()


def test_more_maps_than_descriptors_end_in_an_error() -> None:
    made = 0

    def kernel(cmd: int, union: Any, size: int) -> int:
        nonlocal made
        del union, size
        made += cmd == Cmd.MAP_CREATE
        return -errno.EMFILE if made > ROOM else os.open(os.devnull, os.O_RDONLY)

    spec = parse_object(many_maps(), "many.bpf.o")
    with replaced(kernel), pytest.raises(SyscallError) as raised:
        load(spec)
    assert len(spec.maps) == COUNT
    assert (raised.value.errno, made) == (errno.EMFILE, ROOM + 1)
