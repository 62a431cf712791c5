"""Entries of real maps: read, and shown as bpftool shows them."""

from __future__ import annotations

import json
import random
import struct
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import BpfctlError, BtfError, KeyNotFoundError, NotFoundError, UsageError
from bpfctl.kernel.attr import btf_load, map_create, prog_load
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.objects.map import Map
from tests.cli.runner import as_program, in_process
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Make = Callable[..., Map]

NO_PREALLOC = 1  # BPF_F_NO_PREALLOC, which LPM tries need


@pytest.fixture
def make() -> Iterator[Make]:
    """Return a function that creates a map, which is gone after the test."""
    with ExitStack() as stack:

        def create(
            kind: MapType, key: int = 4, value: int = 8, entries: int = 8, **more: Any
        ) -> Map:
            attr = map_create(
                map_type=kind, key_size=key, value_size=value, max_entries=entries, name="t", **more
            )
            return stack.enter_context(Map(bpf_fd(attr)))

        yield create


def dumped(opened: Map) -> Any:
    done = in_process("-j", "map", "dump", "id", str(opened.info.id))
    assert (done.status, done.err) == (0, "")
    return done.json


def lines(opened: Map) -> list[str]:
    done = in_process("map", "dump", "id", str(opened.info.id))
    assert (done.status, done.err) == (0, "")
    return sorted(done.out.splitlines())


def fill(opened: Map, keys: list[bytes]) -> None:
    """Give each key another value in each slot."""
    for index, key in enumerate(keys):
        slots = [
            bytes([index + 1, slot]).ljust(opened.slot_size, b"\xaa")
            for slot in range(opened.slots)
        ]
        opened.update(key, b"".join(slots))


def u32(number: int) -> bytes:
    return struct.pack("=I", number)


HASHES = (MapType.HASH, MapType.LRU_HASH, MapType.PERCPU_HASH, MapType.LRU_PERCPU_HASH)
ARRAYS = (MapType.ARRAY, MapType.PERCPU_ARRAY)


@pytest.mark.parametrize("value", [3, 8, 300])
@pytest.mark.parametrize("kind", [*HASHES, *ARRAYS], ids=lambda kind: kind.name.lower())
def test_entries_are_those_of_bpftool(
    kind: MapType, value: int, make: Make, bpftool: Callable[..., Any]
) -> None:
    opened = make(kind, value=value)
    fill(opened, [u32(number) for number in range(5)])
    assert dumped(opened) == bpftool("map", "dump", "id", str(opened.info.id))
    assert len(dumped(opened)) == (8 if kind in ARRAYS else 5)
    assert all(opened.lookup(key) == found for key, found in opened.items())


@pytest.mark.parametrize(
    "kind", [*HASHES, *ARRAYS, MapType.LPM_TRIE], ids=lambda kind: kind.name.lower()
)
def test_an_empty_map(kind: MapType, make: Make) -> None:
    flags = NO_PREALLOC if kind == MapType.LPM_TRIE else 0
    opened = make(kind, key=8 if flags else 4, entries=1, map_flags=flags)
    assert dumped(opened) == (
        [{"key": ["0x00"] * 4, **values_of(opened)}] if kind in ARRAYS else []
    )


def values_of(opened: Map) -> dict[str, object]:
    zeros = ["0x00"] * 8
    if not opened.per_cpu:
        return {"value": zeros}
    return {"values": [{"cpu": cpu, "value": zeros} for cpu in range(opened.slots)]}


def test_a_trie(make: Make, bpftool: Callable[..., Any]) -> None:
    opened = make(MapType.LPM_TRIE, key=8, value=4, map_flags=NO_PREALLOC)
    fill(opened, [u32(8) + bytes([10, 0, 0, 0]), u32(32) + bytes([10, 0, 0, 1])])
    assert dumped(opened) == bpftool("map", "dump", "id", str(opened.info.id))
    assert lines(opened) == [
        "08 00 00 00 0a 00 00 00  01 00 aa aa",
        "20 00 00 00 0a 00 00 01  02 00 aa aa",
    ]


@pytest.mark.parametrize(
    "kind", [MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS], ids=["array", "hash"]
)
def test_maps_of_maps_give_ids(kind: MapType, make: Make, bpftool: Callable[..., Any]) -> None:
    inner = make(MapType.ARRAY)
    outer = make(kind, value=4, inner_map_fd=inner.fd)
    outer.update(u32(2), u32(inner.fd.fileno()))
    entries = dumped(outer)
    assert [entry.pop("inner_map_id") for entry in entries] == [inner.info.id]
    assert entries == bpftool("map", "dump", "id", str(outer.info.id))
    key = "2" if kind == MapType.ARRAY_OF_MAPS else "02 00 00 00"
    assert lines(outer) == [f"{key}  map {inner.info.id}"]


def test_program_arrays_give_ids(make: Make, bpftool: Callable[..., Any]) -> None:
    array = make(MapType.PROG_ARRAY, value=4)
    code = bytes.fromhex("b700000000000000 9500000000000000")
    with bpf_fd(prog_load(prog_type=ProgType.SOCKET_FILTER, insns=code, license="GPL")) as prog:
        array.update(u32(3), u32(prog.fileno()))
        entries = dumped(array)
        (number,) = [entry.pop("prog_id") for entry in entries]
        assert entries == bpftool("map", "dump", "id", str(array.info.id))
        assert lines(array) == [f"3  prog {number}"]


def test_places_of_an_array_that_are_empty_are_no_entries(make: Make) -> None:
    assert dumped(make(MapType.DEVMAP, value=4)) == []


# --- what cannot be listed


@pytest.mark.parametrize(
    ("kind", "key", "value", "entries"),
    [
        pytest.param(MapType.QUEUE, 0, 4, 4, id="queue"),
        pytest.param(MapType.STACK, 0, 4, 4, id="stack"),
        pytest.param(
            *(MapType.BLOOM_FILTER, 0, 4, 4),
            id="bloom_filter",
            marks=needs.BLOOM_FILTER,
        ),
        pytest.param(MapType.RINGBUF, 0, 0, 4096, id="ringbuf"),
        pytest.param(MapType.PERF_EVENT_ARRAY, 4, 4, 4, id="perf_event_array"),
    ],
)
def test_types_without_entries_are_told(
    kind: MapType, key: int, value: int, entries: int, make: Make
) -> None:
    opened = make(kind, key, value, entries)
    done = in_process("-j", "map", "dump", "id", str(opened.info.id))
    error = done.json["error"]
    assert (done.status, error["code"]) == (1, "map-not-listable")
    assert error["object"] == f"map {opened.info.id}"
    assert kind.name.lower() in error["message"]


def test_sockets_that_user_space_may_not_see_are_told(make: Make) -> None:
    opened = make(MapType.SOCKMAP, value=4)
    number = str(opened.info.id)
    done = in_process("map", "dump", "id", number)
    assert (done.status, "map-values-hidden" in done.err) == (1, True)
    done = in_process("-j", "map", "dump", "id", number)  # one document, and no empty array before
    assert (done.status, done.json["error"]["code"]) == (1, "map-values-hidden")


@pytest.mark.parametrize(
    "problem",
    [BtfError("has a record of unknown kind 99"), NotFoundError("no BTF object has id 7")],
    ids=["newer than we are", "gone"],
)
def test_entries_whose_types_cannot_be_read(
    problem: BpfctlError, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_types(_self: Map) -> None:
        raise problem

    opened = make(MapType.ARRAY, entries=1)
    monkeypatch.setattr(Map, "btf", no_types)
    done = in_process("map", "dump", "id", str(opened.info.id))
    assert (done.status, done.out) == (0, "0  00 00 00 00 00 00 00 00\n")
    assert done.err == f"map {opened.info.id} is shown without its types: {problem}\n"


# --- by type

KEY_TYPE, VALUE_TYPE = 3, 20


def rich_types() -> bytes:
    """Return types of which each has something that is easily got wrong."""
    members = (
        t.Member("u8", 7, 0),
        t.Member("flag", 6, 8),
        t.Member("s16", 8, 16),
        t.Member("u32", 3, 32),
        t.Member("s64", 5, 64),
        t.Member("name", 9, 128),
        t.Member("bytes", 10, 192),
        t.Member("color", 11, 256),
        t.Member("where", 12, 320),
        t.Member("", 14, 384),
        t.Member("bits", 3, 448, 3),
        t.Member("more", 2, 451, 9),
        t.Member("wide", 15, 512),
        t.Member("items", 17, 640),
        t.Member("odd", 18, 768),
    )
    builder = BtfBuilder()
    builder.add_all(
        [
            t.Int(1, "char", 1, t.IntEncoding.SIGNED, 0, 8),
            t.Int(2, "int", 4, t.IntEncoding.SIGNED, 0, 32),
            t.Int(3, "unsigned int", 4, 0, 0, 32),
            t.Int(4, "unsigned long", 8, 0, 0, 64),
            t.Int(5, "long", 8, t.IntEncoding.SIGNED, 0, 64),
            t.Int(6, "_Bool", 1, t.IntEncoding.BOOL, 0, 8),
            t.Int(7, "unsigned char", 1, 0, 0, 8),
            t.Int(8, "short", 2, t.IntEncoding.SIGNED, 0, 16),
            t.Array(9, "", 1, 3, 8),
            t.Array(10, "", 7, 3, 8),
            t.Enum(
                11, "color", 4, signed=False, values=(t.EnumValue("RED", 0), t.EnumValue("BLUE", 7))
            ),
            t.Ptr(12, "", 4),
            t.Struct(13, "inner", 2, (t.Member("x", 7, 0), t.Member("y", 7, 8))),
            t.Struct(14, "", 8, (t.Member("a", 4, 0), t.Member("b", 13, 0)), is_union=True),
            t.Int(15, "__int128", 16, t.IntEncoding.SIGNED, 0, 128),
            t.Const(16, "", 13),
            t.Array(17, "", 16, 3, 8),
            t.Array(18, "", 19, 3, 8),
            t.Typedef(19, "letter", 1),
            t.Struct(VALUE_TYPE, "rich", 104, members),
        ]
    )
    return builder.build()


@pytest.fixture
def rich(make: Make) -> Callable[[MapType], Map]:
    """Return a function that makes a map of 64 entries whose values have the rich type."""

    def create(kind: MapType) -> Map:
        with bpf_fd(btf_load(rich_types())) as btf:
            types = {"btf_key_type_id": KEY_TYPE, "btf_value_type_id": VALUE_TYPE}
            return make(kind, value=104, entries=64, btf_fd=btf, **types)

    return create


def random_values(count: int) -> list[bytes]:
    """Return values with zeros and ASCII in them, so that strings and names come up.

    Without backslashes: bpftool 7.1 writes one as a line end.
    """
    chance = random.Random(2)
    pools = [bytes(range(256)), bytes(8) + b"abc \"'/<%", bytes(2)]
    return [
        bytes(chance.choices(pools[index % 3], k=104)).replace(b"\\", b"/")
        for index in range(count)
    ]


@pytest.mark.parametrize("kind", [*HASHES, *ARRAYS], ids=lambda kind: kind.name.lower())
def test_typed_entries_are_those_of_bpftool(
    kind: MapType, rich: Callable[[MapType], Map], bpftool: Callable[..., Any]
) -> None:
    opened = rich(kind)
    values = random_values(40 * opened.slots)
    for number in range(40):
        opened.update(u32(number), b"".join(values[number::40][: opened.slots]))
    ours = dumped(opened)
    assert ours == bpftool("map", "dump", "id", str(opened.info.id))
    assert all("formatted" in entry for entry in ours)
    ends = json.loads(as_program("-p", "map", "dump", "id", str(opened.info.id)).out)
    assert ends == ours


def test_typed_lines(rich: Callable[[MapType], Map]) -> None:
    opened = rich(MapType.HASH)
    value = struct.pack(
        "=BBhIq8s8BIxxxxQQI4x16s16s8s",
        1, 1, -2, 3, -4, b'say "\\"', *range(8), 7, 2**63, 0x0201, 5 | (-3 & 0x1FF) << 3,
        (-9).to_bytes(16, "little", signed=True), bytes(range(16)), b"\x01\xff",
    )  # fmt: skip
    opened.update(u32(9), value)
    (line,) = lines(opened)
    key, _, text = line.partition("  ")
    assert (key, json.loads(text)) == (
        "9",
        {
            "u8": 1,
            "flag": True,
            "s16": -2,
            "u32": 3,
            "s64": -4,
            "name": 'say "\\"',
            "bytes": list(range(8)),
            "color": "BLUE",
            "where": 2**63,
            "a": 0x0201,
            "b": {"x": 1, "y": 2},
            "bits": 5,
            "more": -3,
            "wide": -9,
            "items": [{"x": 2 * i, "y": 2 * i + 1} for i in range(8)],
            "odd": "\x01\\xff",
        },
    )


def test_several_maps_of_one_name(make: Make, bpftool: Callable[..., Any]) -> None:
    name = f"b{random.randrange(10**9)}"
    made = []
    for kind in (MapType.HASH, MapType.ARRAY):
        attr = map_create(map_type=kind, key_size=4, value_size=4, max_entries=2, name=name)
        made.append(Map(bpf_fd(attr)))
    with made[0], made[1]:
        fill(made[0], [u32(5)])
        theirs = bpftool("map", "dump", "name", name)
        assert in_process("-j", "map", "dump", "name", name).json == theirs
        assert in_process("-p", "map", "dump", "name", name).json == theirs
        assert in_process("map", "dump", "name", name).out == (
            f"# map {made[0].info.id}\n05 00 00 00  01 00 aa aa\n"
            f"# map {made[1].info.id}\n0  00 00 00 00\n1  00 00 00 00\n"
        )


# --- while it changes


@pytest.mark.parametrize("kind", [MapType.HASH, MapType.LPM_TRIE], ids=["batches", "trie"])
def test_a_map_that_changes_while_it_is_read(kind: MapType, make: Make) -> None:
    flags = NO_PREALLOC if kind == MapType.LPM_TRIE else 0
    opened = make(kind, key=8, value=4, entries=20_000, map_flags=flags)
    stays = [u32(32) + u32(number) for number in range(3000)]
    for key in stays:
        opened.update(key, u32(1))
    done = threading.Event()

    def churn() -> None:
        number = 0
        while not done.is_set():
            number = (number + 1) % 500
            key = u32(32) + u32(10_000 + number)
            opened.update(key, u32(2))
            if number % 3:
                opened.delete(key)

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        for _ in range(5):
            entries = dumped(opened)
            keys = [bytes(int(byte, 16) for byte in entry["key"]) for entry in entries]
            missing = set(stays) - set(keys)
            assert not missing or kind == MapType.LPM_TRIE
            assert len(missing) < len(stays)
    finally:
        done.set()
        worker.join()


# --- single entries


def test_lookup_update_and_delete(make: Make) -> None:
    opened = make(MapType.HASH)
    opened.update(u32(1), bytes(range(8)))
    assert opened.lookup(u32(1)) == bytes(range(8))
    assert list(opened.items()) == [(u32(1), bytes(range(8)))]
    opened.delete(u32(1))
    for absent in (lambda: opened.lookup(u32(1)), lambda: opened.delete(u32(1))):
        with pytest.raises(KeyNotFoundError):
            absent()


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        pytest.param(b"abc", bytes(8), "map-key-size", id="short-key"),
        pytest.param(b"abcd", bytes(9), "map-value-size", id="long-value"),
    ],
)
def test_wrong_sizes_never_reach_the_kernel(
    key: bytes, value: bytes, code: str, make: Make
) -> None:
    with pytest.raises(UsageError) as caught:
        make(MapType.HASH).update(key, value)
    assert caught.value.code == code


def test_a_map_that_may_not_be_read(make: Make) -> None:
    write_only = 1 << 4  # BPF_F_WRONLY
    opened = make(MapType.HASH, map_flags=write_only)
    with pytest.raises(BpfctlError, match="not permitted"):
        list(opened.items())
