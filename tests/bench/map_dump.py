"""`map dump` of a hash of a million entries against bpftool: `python -m tests.bench.map_dump`."""

from __future__ import annotations

import argparse
import json
import struct
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.kernel.attr import btf_load, map_batch, map_create
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.objects.map import Map
from tests.bench.harness import compare, measure, report, scratch_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AIM_RATIO = 0.4
AIM_PEAK_BYTES = 150_000_000
AT_ONCE = 10_000
VALUE = struct.Struct("<QIIQ8s")


def value_types() -> bytes:
    """Return the type information of the map: a u32, and a struct of 32 bytes."""
    builder = BtfBuilder()
    u32 = builder.add(t.Int(0, "unsigned int", 4, 0, 0, 32))
    u64 = builder.add(t.Int(0, "unsigned long long", 8, 0, 0, 64))
    char = builder.add(t.Int(0, "char", 1, t.IntEncoding.SIGNED, 0, 8))
    name = builder.add(t.Array(0, "", char, u32, 8))
    members = (
        t.Member("a", u64, 0),
        t.Member("b", u32, 64),
        t.Member("c", u32, 96),
        t.Member("d", u64, 128),
        t.Member("name", name, 192),
    )
    builder.add(t.Struct(0, "value", VALUE.size, members))
    return builder.build()


@contextmanager
def full_map(entries: int) -> Iterator[Map]:
    """Make a hash with that many entries; it is gone afterwards."""
    with bpf_fd(btf_load(value_types())) as btf:
        made = Map(
            bpf_fd(
                map_create(
                    map_type=MapType.HASH,
                    key_size=4,
                    value_size=VALUE.size,
                    max_entries=entries,
                    name="bench",
                    btf_fd=btf,
                    btf_key_type_id=1,
                    btf_value_type_id=5,
                )
            )
        )
    with made:
        for first in range(0, entries, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, entries))
            keys = struct.pack(f"<{len(numbers)}I", *numbers)
            values = b"".join(
                VALUE.pack(i * 7919, i, i % 251, i << 20, b"n%d" % (i % 10**6)) for i in numbers
            )
            bpf(map_batch(Cmd.MAP_UPDATE_BATCH, made.fd, None, None, keys, values, len(numbers)))
        yield made


def same_entries(map_id: int, ours: list[str], theirs: list[str]) -> bool:
    """Whether both print the same entries as JSON, in whatever order."""
    places = [scratch_file("ours"), scratch_file("theirs")]
    try:
        measure([*ours, "-j", "map", "dump", "id", str(map_id)], str(places[0]))
        measure([*theirs, "-j", "map", "dump", "id", str(map_id)], str(places[1]))
        found = [_entries(place) for place in places]
    finally:
        for place in places:
            place.unlink(missing_ok=True)
    return found[0] == found[1] and len(found[0]) > 0


def _entries(place: Path) -> list[object]:
    entries: list[object] = json.loads(place.read_bytes())
    return sorted(entries, key=json.dumps)


def main() -> int:
    """Print the ratios; the status is 1 when an aim is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    ours, theirs = [sys.executable, "-m", "bpfctl"], ["bpftool"]
    with full_map(1000) as small:
        print("1000 entries, JSON of both equal:", same_entries(small.info.id, ours, theirs))
    missed = False
    with full_map(chosen.entries) as made:
        words = ["map", "dump", "id", str(made.info.id)]
        for title, options_of in (("map dump, JSON", ["-j"]), ("map dump, plain", [])):
            commands = {
                "bpfctl": [*ours, *options_of, *words],
                "bpftool": [*theirs, *options_of, *words],
            }
            found = compare(commands, chosen.rounds)
            print(report(title, found["bpfctl"], found["bpftool"], AIM_RATIO), flush=True)
            missed |= found["bpfctl"].seconds > AIM_RATIO * found["bpftool"].seconds
            missed |= found["bpfctl"].peak_bytes > AIM_PEAK_BYTES
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
