"""Whatever the types: our error, or a value on which all ways to read and write it agree."""

from __future__ import annotations

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.values import Style, checked_shape, compile_reader
from bpfctl.btf.values_json import COMPACT, compile_writer
from bpfctl.btf.values_text import combine, value_part
from bpfctl.errors import BtfError

MAX_BYTES = 4096
NAMES = st.sampled_from(["a", "b", "%s", '"', "", "char"])
SIZES = st.sampled_from([0, 1, 2, 3, 4, 8, 16, 24])


@st.composite
def one_type(draw: st.DrawFn, type_id: int) -> t.Type:
    """Draw a type; nine of ten times it refers to types before it only."""
    below = type_id - 1 if draw(st.integers(0, 9)) else type_id + 3
    target = st.integers(0, max(1, below))
    match draw(st.integers(0, 8)):
        case 0 | 1:
            bits = draw(st.sampled_from([1, 3, 8, 8, 16, 32, 64, 128]))
            size = draw(st.sampled_from([1, 2, 4, 8, 16, (bits + 7) // 8, (bits + 7) // 8]))
            encoding = draw(st.sampled_from([0, 0, 1, 1, 2, 4]))
            offset = draw(st.sampled_from([0, 0, 0, 3]))
            return t.Int(type_id, draw(NAMES), size, encoding, offset, bits)
        case 2:
            values = tuple(t.EnumValue(f"E{i}", i) for i in range(draw(st.integers(0, 3))))
            signed = draw(st.booleans())
            return t.Enum(type_id, "e", draw(st.sampled_from([1, 2, 4, 4, 8])), signed, values)
        case 3:
            return t.Array(type_id, "", draw(target), 1, draw(st.integers(0, 6)))
        case 4 | 5:
            parts = draw(st.lists(st.tuples(NAMES, target, st.integers(0, 100), SIZES), max_size=5))
            members = tuple(t.Member(n, i, o * 8 + (o % 3 if b else 0), b) for n, i, o, b in parts)
            size = draw(st.sampled_from([0, 8, 64, 128, 128]))
            return t.Struct(type_id, draw(NAMES), size, members, is_union=draw(st.booleans()))
        case 6:
            return t.Float(type_id, "f", draw(st.sampled_from([2, 4, 8, 16])))
        case 7:
            return t.Typedef(type_id, draw(NAMES), draw(target))
        case _:
            return t.Ptr(type_id, "", draw(target))


@st.composite
def blobs(draw: st.DrawFn) -> Btf:
    """Draw type information of up to 12 types."""
    order = draw(st.sampled_from("<>"))
    builder = BtfBuilder(order)
    count = draw(st.integers(1, 12))
    for type_id in range(1, count + 4):
        known = type_id <= count
        builder.add(draw(one_type(type_id)) if known else t.Int(0, "pad", 4, 0, 0, 32))
    return Btf.parse(builder.build())


@settings(max_examples=400, deadline=None)
@given(btf=blobs(), style=st.sampled_from(list(Style)), data=st.data())
def test_all_ways_agree(btf: Btf, style: Style, data: st.DataObject) -> None:
    type_id = data.draw(st.integers(1, len(btf) - 1))
    try:
        shape = checked_shape(btf, type_id, style)
    except BtfError:
        return
    assume(shape.size <= MAX_BYTES and shape.weight <= MAX_BYTES)
    rows = [data.draw(row(shape.size)) for _ in range(3)]
    read = compile_reader(btf, type_id, style=style)
    values = [read(each, 0) for each in rows]
    write = compile_writer(shape, btf.order, COMPACT)
    assert [json.loads(write(each, 0)) for each in rows] == values
    part = value_part(shape, btf.order)
    text = combine(part.template, "\n", part.columns(b"".join(rows), 3), 3)
    assert [json.loads(line) for line in text.split("\n")] == values


def row(size: int) -> st.SearchStrategy[bytes]:
    """Draw the bytes of a value: noise, or mostly zeros and letters."""
    letters = st.lists(st.sampled_from(b'\0\0abc"\\\n'), min_size=size, max_size=size).map(bytes)
    return st.binary(min_size=size, max_size=size) if size > 64 else letters


@settings(max_examples=400, deadline=None)
@given(
    blob=blobs(), flips=st.lists(st.tuples(st.integers(24, 600), st.integers(1, 255)), max_size=6)
)
def test_broken_types_are_our_errors(blob: Btf, flips: list[tuple[int, int]]) -> None:
    raw = bytearray(blob.data)
    for place, mask in flips:
        raw[place % len(raw)] ^= mask
    for style in Style:
        for type_id in range(1, 5):
            try:
                btf = Btf.parse(bytes(raw))
                shape = checked_shape(btf, type_id, style)
                if shape.size <= MAX_BYTES and shape.weight <= MAX_BYTES:
                    json.dumps(compile_reader(btf, type_id, style=style)(bytes(shape.size), 0))
            except BtfError:
                continue
