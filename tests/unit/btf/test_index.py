"""An index of types: what it keeps, the same answers with it, and bytes that are none."""

from __future__ import annotations

import random
from array import array

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.index import Index, pack, unpack
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from tests.builders.btf import SAMPLE, build, raw, record

KEY = b"some blob"
NO_FUNC = frozenset(Kind) - {Kind.FUNC}


def indexed(data: bytes) -> Btf:
    """The same types, read with an index, from a view as if they were mapped."""
    index = unpack(pack(Btf.parse(data).index(), KEY), KEY)
    return Btf.parse(memoryview(data), index=index)


def test_it_comes_back_as_it_went() -> None:
    index = Btf.parse(build()).index()
    again = unpack(pack(index, KEY), KEY)
    assert again is not None
    for ours, theirs in ((again.starts, index.starts), (again.offsets, index.offsets)):
        assert list(ours) == list(theirs)
    assert list(again.table) == list(index.table)
    assert len(index.starts) == len(index.offsets) == len(SAMPLE)
    named = [one for one in SAMPLE if one.name]
    assert sorted(entry & 0xFFFFFFFF for entry in index.table) == [one.id - 1 for one in named]


@pytest.mark.parametrize("order", ["<", ">"])
def test_types_are_the_same_with_an_index(order: str) -> None:
    data = build(order=order)
    btf = indexed(data)
    assert tuple(btf.types()) == SAMPLE
    assert btf.data == data
    assert [btf.record_offset(one.id) for one in SAMPLE] == [
        Btf.parse(data).record_offset(one.id) for one in SAMPLE
    ]


def test_an_index_saves_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Btf.parse(build()).index()
    monkeypatch.delattr("bpfctl.btf.layout.walk_records")
    assert Btf.parse(build(), index=index).find("pair", Kind.STRUCT) == 7


NAMES = [
    "",
    "_",
    "__",
    "___",
    "a",
    "a_",
    "a___b",
    "a____b",
    "a___b___c",
    "ab",
    "b___",
    "___a",
    "a__",
]


@pytest.mark.parametrize("kinds", [{Kind.FWD}, {Kind.FWD, Kind.FUNC}, {Kind.INT}, NO_FUNC, None])
def test_names_are_the_same_with_an_index(kinds: set[Kind] | None) -> None:
    rng = random.Random(4)
    pool = ["".join(rng.choices("ab_", k=rng.randint(1, 7))) for _ in range(150)] + NAMES
    types: list[t.Type] = [t.FuncProto(1, "", 0, ())]
    for number in range(2, 500):
        name = rng.choice(pool)
        types.append(t.Func(number, name, 1, 0) if number % 5 else t.Fwd(number, name))
    data = build(tuple(types))
    plain, quick = Btf.parse(data), indexed(data)
    for name in pool:
        assert quick.find_all(name, kinds) == plain.find_all(name, kinds)
        assert quick.find_flavors(name, kinds) == plain.find_flavors(name, kinds)


def test_types_on_top_of_indexed_ones() -> None:
    data = build()
    base = indexed(data)
    words = [*record(Kind.FWD, name=data.index(b"pair\0") - base.header.str_off)]
    words += record(Kind.FWD, name=base.string_end)
    split = Btf.parse(raw(words, b"own\0"), base=base)
    assert split.find_all("pair", {Kind.FWD, Kind.STRUCT}) == [7, len(base)]
    split.index()
    assert split.find_all("pair", {Kind.FWD, Kind.STRUCT}) == [7, len(base)]
    assert split.find_all("own", {Kind.FWD}) == [len(base) + 1]


def test_a_broken_name_is_nobodys() -> None:
    words = [*record(Kind.FWD, name=99), *record(Kind.FWD, name=1)]
    btf = Btf.parse(raw(words, b"\0a\0"))
    assert [entry & 0xFFFFFFFF for entry in btf.index().table] == [1]
    assert btf.find_all("a", {Kind.FWD}) == [2]


def spoiled(at: int) -> bytes:
    data = bytearray(pack(Btf.parse(build()).index(), KEY))
    data[at] ^= 0x10
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        pytest.param(b"", KEY, id="empty"),
        pytest.param(b"\0" * 19, KEY, id="shorter than a header"),
        pytest.param(b"\0" * 4096, KEY, id="zeros"),
        pytest.param(b"\xff" * 4096, KEY, id="ones"),
        pytest.param(spoiled(0), KEY, id="another format"),
        pytest.param(spoiled(4), KEY, id="another checksum"),
        pytest.param(spoiled(8), KEY, id="another length of the key"),
        pytest.param(spoiled(13), KEY, id="another number of types"),
        pytest.param(spoiled(18), KEY, id="a number of names as large as memory"),
        pytest.param(spoiled(22), KEY, id="another key in it"),
        pytest.param(spoiled(60), KEY, id="a flipped bit"),
        pytest.param(spoiled(-1), KEY, id="a flipped last bit"),
        pytest.param(spoiled(60)[:-1], KEY, id="cut"),
        pytest.param(spoiled(60) + b"\0", KEY, id="longer"),
        pytest.param(pack(Btf.parse(build()).index(), KEY), b"some glob", id="of another blob"),
        pytest.param(pack(Btf.parse(build()).index(), KEY), KEY + b"s", id="of a longer key"),
    ],
)
def test_what_is_no_index_of_ours(data: bytes, key: bytes) -> None:
    assert unpack(data, key) is None


def with_starts(*starts: int) -> Btf:
    index = Index(array("I", starts), array("I", [0] * len(starts)), array("Q"))
    return Btf.parse(build(), index=index)


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(2**32 - 1, id="far outside"),
        pytest.param(len(Btf.parse(build())._words) - 2, id="too near to the end"),
    ],
)
def test_an_index_that_leads_outside_is_an_error(start: int) -> None:
    btf = with_starts(0, start)
    assert btf.name(1) == "int"
    for ask in (btf.type, btf.name, btf.kind_number, btf.record_offset):
        with pytest.raises(BtfError, match="the index of types is wrong about type 2"):
            ask(2)


def test_an_index_that_leads_to_a_record_without_its_end_is_an_error() -> None:
    words = [*record(Kind.FWD, name=1), *record(Kind.FWD, name=0), 0, Kind.STRUCT << 24 | 5, 0]
    index = Index(array("I", [0, 6]), array("I", [1, 0]), array("Q"))
    btf = Btf.parse(raw(words, b"\0a\0"), index=index)
    with pytest.raises(BtfError, match="the index of types is wrong about type 2"):
        btf.type(2)


def test_names_that_lead_outside_are_not_found() -> None:
    good = Btf.parse(build()).index()
    entry = next(entry for entry in good.table if entry & 0xFFFFFFFF == 6)  # "pair"
    far = array("Q", [entry >> 32 << 32 | 0xFFFFFFFF])
    btf = Btf.parse(build(), index=Index(good.starts, good.offsets, far))
    assert btf.find_all("pair", {Kind.STRUCT}) == []
    away = Index(array("I", [2**32 - 1] * 7), good.offsets, array("Q", [entry]))
    assert Btf.parse(build(), index=away).find_all("pair", {Kind.STRUCT}) == []
