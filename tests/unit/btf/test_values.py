"""Values of maps by their types: what C means, what bpftool prints, and hostile types."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.values import Style, Value, checked_shape, compile_reader
from bpfctl.btf.values_json import COMPACT, compile_writer
from bpfctl.btf.values_text import combine, value_part
from bpfctl.errors import BtfError

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNED, CHAR, BOOL = t.IntEncoding.SIGNED, t.IntEncoding.CHAR, t.IntEncoding.BOOL
# The same first types in all cases.
BASE: list[t.Type] = [
    t.Int(1, "unsigned int", 4, 0, 0, 32),
    t.Int(2, "int", 4, SIGNED, 0, 32),
    t.Int(3, "char", 1, SIGNED, 0, 8),
    t.Int(4, "unsigned char", 1, 0, 0, 8),
    t.Int(5, "_Bool", 1, BOOL, 0, 8),
    t.Int(6, "__int128", 16, SIGNED, 0, 128),
    t.Int(7, "long long unsigned int", 8, 0, 0, 64),
    t.Typedef(8, "letter", 3),
    t.Int(9, "gcc_char", 1, CHAR, 0, 8),
    t.Const(10, "", 3),
    t.Enum(11, "color", 4, False, (t.EnumValue("RED", 0), t.EnumValue("LAST", 0xFFFFFFFD))),
]
U32, INT, CHARACTER, U8, BOOLEAN, INT128, U64, LETTER, GCC_CHAR, CONST_CHAR, COLOR = range(1, 12)
NEXT = 12


def btf_of(more: Sequence[t.Type], order: str = "<") -> Btf:
    builder = BtfBuilder(order)
    builder.add_all(BASE)
    builder.add_all(more)
    return Btf.parse(builder.build())


def both(btf: Btf, type_id: int, data: bytes) -> tuple[Value, Value]:
    return tuple(compile_reader(btf, type_id, style=style)(data, 0) for style in Style)  # type: ignore[return-value] # two styles


def texts(btf: Btf, type_id: int, data: bytes, style: Style) -> list[str]:
    """What each way to write JSON makes of the value: for one, and for three rows at once."""
    shape = checked_shape(btf, type_id, style)
    part = value_part(shape, btf.order)
    many = combine(part.template, "\n", part.columns(data * 3, 3), 3).splitlines()
    return [compile_writer(shape, btf.order, COMPACT)(data, 0), *many]


def array(type_id: int, item: int, count: int) -> t.Array:
    return t.Array(type_id, "", item, U32, count)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("more", "data", "natural", "bpftool"),
    [
        pytest.param([t.Typedef(NEXT, "u", U32)], ("I", 0xFFFFFFFE), 0xFFFFFFFE, None, id="u32"),
        pytest.param([t.Const(NEXT, "", INT)], ("i", -2), -2, None, id="const-int"),
        pytest.param([t.Int(NEXT, "s8", 1, SIGNED, 0, 8)], ("b", -3), -3, None, id="s8"),
        pytest.param([t.Int(NEXT, "u16", 2, 0, 0, 16)], ("H", 513), 513, None, id="u16"),
        pytest.param(
            [t.Int(NEXT, "s64", 8, SIGNED, 0, 64)], ("q", -(2**62)), -(2**62), None, id="s64"
        ),
        pytest.param([t.Ptr(NEXT, "", 0)], ("Q", 2**63 + 1), 2**63 + 1, None, id="pointer"),
        pytest.param([t.Typedef(NEXT, "bool", BOOLEAN)], ("B", 2), True, None, id="bool"),
        pytest.param([t.Float(NEXT, "double", 8)], ("d", 0.1), 0.1, None, id="double"),
        pytest.param([t.Float(NEXT, "float", 4)], ("f", 0.5), 0.5, None, id="float"),
        pytest.param(
            [t.Float(NEXT, "double", 8)], ("d", float("-inf")), "-inf", None, id="infinite"
        ),
        pytest.param(
            [t.Float(NEXT, "double", 8)], ("d", float("nan")), "nan", None, id="not-a-number"
        ),
        pytest.param([t.Typedef(NEXT, "c", COLOR)], ("I", 0), "RED", None, id="enum"),
        pytest.param(
            [t.Typedef(NEXT, "c", COLOR)], ("i", -3), "LAST", None, id="enum-old-negative"
        ),
        pytest.param([t.Typedef(NEXT, "c", COLOR)], ("i", -9), -9, None, id="enum-unknown"),
        pytest.param(
            [t.Enum(NEXT, "e", 8, False, (t.EnumValue("BIG", 1 << 40),), True)],
            ("Q", 1 << 40),
            "BIG",
            None,
            id="enum64",
        ),
        pytest.param(
            [t.Enum(NEXT, "e", 8, False, (), True)],
            ("Q", 2**64 - 1),
            2**64 - 1,
            None,
            id="enum64-unsigned-unknown",
        ),
        pytest.param([array(NEXT, U32, 3)], ("3I", 1, 2, 3), [1, 2, 3], None, id="array"),
        pytest.param([array(NEXT, U32, 0)], ("",), [], None, id="array-empty"),
        pytest.param([array(NEXT, COLOR, 2)], ("2I", 0, 5), ["RED", 5], None, id="array-of-enums"),
        pytest.param(
            [array(NEXT + 1, U8, 2), array(NEXT, NEXT + 1, 2)][::-1],
            ("4B", 1, 2, 3, 4),
            [[1, 2], [3, 4]],
            None,
            id="array-of-arrays",
        ),
        pytest.param([array(NEXT, CHARACTER, 4)], ("4s", b'a"\\'), 'a"\\', None, id="string"),
        pytest.param([array(NEXT, CONST_CHAR, 4)], ("4s", b"ab"), "ab", None, id="string-const"),
        pytest.param([array(NEXT, CHARACTER, 4)], ("4s", b""), "", None, id="string-empty"),
        pytest.param(
            [array(NEXT, CHARACTER, 3)],
            ("3s", b"~\x7f"),
            "~\x7f",
            [126, 127, 0],
            id="string-delete",
        ),
        pytest.param(
            [array(NEXT, CHARACTER, 4)], ("4s", b"a\0\xff\n"), "a", None, id="string-rest"
        ),
        pytest.param(
            [array(NEXT, CHARACTER, 2)], ("2s", b"ab"), "ab", [97, 98], id="string-endless"
        ),
        pytest.param(
            [array(NEXT, CHARACTER, 3)],
            ("3s", b"\xff\n"),
            "\\xff\n",
            [-1, 10, 0],
            id="string-binary",
        ),
        pytest.param(
            [array(NEXT, CHARACTER, 3)], ("3s", "é".encode()), "é", [-61, -87, 0], id="string-utf8"
        ),
        pytest.param(
            [array(NEXT, LETTER, 3)], ("3s", b"ab"), "ab", [97, 98, 0], id="string-of-typedef"
        ),
        pytest.param(
            [array(NEXT, GCC_CHAR, 2)], ("2s", b"a"), "a", ["a", "\0"], id="array-of-letters"
        ),
        pytest.param([t.Typedef(NEXT, "c", GCC_CHAR)], ("B", 65), 65, "A", id="letter"),
    ],
)
def test_single_values(
    order: str, more: list[t.Type], data: tuple[object, ...], natural: Value, bpftool: Value
) -> None:
    btf = btf_of(more, order)
    code, *numbers = data
    raw = struct.pack(f"{order}{code}", *numbers)
    expected = (natural, natural if bpftool is None else bpftool)
    assert both(btf, NEXT, raw) == expected
    for style, value in zip(Style, expected, strict=True):
        assert [json.loads(text) for text in texts(btf, NEXT, raw, style)] == [value] * 4


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_128_bit_integer(order: str) -> None:
    value = -(2**126) - 5
    data = value.to_bytes(16, "little" if order == "<" else "big", signed=True)
    assert both(btf_of([], order), INT128, data) == (value, hex(value % 2**128))


# --- structs

NESTED: list[t.Type] = [
    t.Struct(NEXT, "inner", 8, (t.Member("x", U32, 0), t.Member("y", U8, 32))),
    t.Struct(NEXT + 1, "", 4, (t.Member("whole", U32, 0), t.Member("low", U8, 0)), is_union=True),
    array(NEXT + 2, NEXT, 2),
    t.Struct(
        NEXT + 3,
        "outer",
        32,
        (
            t.Member("items", NEXT + 2, 0),
            t.Member("", NEXT + 1, 128),
            t.Member("100%", U64, 192),
        ),
    ),
]


@pytest.mark.parametrize("order", ["<", ">"])
def test_nested_structs_and_anonymous_unions(order: str) -> None:
    btf = btf_of(NESTED, order)
    data = struct.pack(f"{order}IB3xIB3xI4xQ", 1, 2, 3, 4, 0x05050505, 6)
    items: Value = [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    natural: Value = {"items": items, "whole": 0x05050505, "low": 5, "100%": 6}
    bpftool: Value = {"items": items, "": {"whole": 0x05050505, "low": 5}, "100%": 6}
    assert both(btf, NEXT + 3, data) == (natural, bpftool)
    for style, value in zip(Style, (natural, bpftool), strict=True):
        found = texts(btf, NEXT + 3, data, style)
        assert found == [json.dumps(value, separators=(",", ":"))] * 4


def bit_struct(*members: t.Member, size: int = 8) -> list[t.Type]:
    return [t.Struct(NEXT, "bits", size, members)]


LITTLE_BITS = (5 | (-3 & 0x1F) << 3 | 0x123456789 << 8 | 1 << 44 | 0xD << 45).to_bytes(8, "little")


def test_bit_fields_of_little_endian_machines() -> None:
    btf = btf_of(
        bit_struct(
            t.Member("a", U32, 0, 3),
            t.Member("b", INT, 3, 5),
            t.Member("c", U64, 8, 36),
            t.Member("d", BOOLEAN, 44, 1),
            t.Member("e", COLOR, 45, 4),
        )
    )
    natural: Value = {"a": 5, "b": -3, "c": 0x123456789, "d": True, "e": "LAST"}
    bpftool: Value = {"a": "0x5", "b": "0x1d", "c": "0x123456789", "d": "0x1", "e": "0xd"}
    assert both(btf, NEXT, LITTLE_BITS) == (natural, bpftool)
    for style, value in zip(Style, (natural, bpftool), strict=True):
        assert [json.loads(x) for x in texts(btf, NEXT, LITTLE_BITS, style)] == [value] * 4


def test_bit_fields_of_big_endian_machines() -> None:
    members = (t.Member("a", U32, 0, 3), t.Member("b", INT, 3, 5), t.Member("c", U32, 8, 12))
    btf = btf_of(bit_struct(*members, size=4), ">")
    data = (5 << 29 | (-3 & 0x1F) << 24 | 0xABC << 12).to_bytes(4, "big")
    assert both(btf, NEXT, data) == (
        {"a": 5, "b": -3, "c": 0xABC},
        {"a": "0x5", "b": "0x1d", "c": "0xabc"},
    )


def test_bit_fields_of_old_producers_are_told_by_their_integer() -> None:
    more: list[t.Type] = [
        t.Int(NEXT, "int:3", 4, 0, 0, 3),
        t.Int(NEXT + 1, "int at 3", 4, SIGNED, 3, 5),
        t.Struct(NEXT + 2, "old", 4, (t.Member("a", NEXT, 0), t.Member("b", NEXT + 1, 0))),
    ]
    data = bytes([5 | (-3 & 0x1F) << 3, 0, 0, 0])
    assert both(btf_of(more), NEXT + 2, data) == ({"a": 5, "b": -3}, {"a": "0x5", "b": "0x1d"})


def test_an_integer_that_does_not_fill_its_bytes() -> None:
    more: list[t.Type] = [t.Int(NEXT, "24 bits", 4, SIGNED, 0, 24)]
    assert both(btf_of(more), NEXT, b"\xff\xff\xff\x7f") == (-1, "0xffffff")


# --- data sections


def test_data_sections() -> None:
    more: list[t.Type] = [
        t.Var(NEXT, "count", U32, 1),
        t.Var(NEXT + 1, "on", BOOLEAN, 0),
        t.Datasec(NEXT + 2, ".bss", 8, (t.VarSecinfo(NEXT, 0, 4), t.VarSecinfo(NEXT + 1, 4, 1))),
        t.Datasec(NEXT + 3, ".data", 4, ()),
    ]
    btf = btf_of(more)
    data = struct.pack("<IB3x", 7, 1)
    natural: Value = {"count": 7, "on": True}
    bpftool: Value = {".bss": [{"count": 7}, {"on": True}]}
    assert both(btf, NEXT + 2, data) == (natural, bpftool)
    for style, value in zip(Style, (natural, bpftool), strict=True):
        assert [json.loads(x) for x in texts(btf, NEXT + 2, data, style)] == [value] * 4
    assert both(btf, NEXT + 3, bytes(4)) == ({}, {".data": []})
    assert texts(btf, NEXT + 3, bytes(4), Style.BPFTOOL) == ['{".data":[]}'] * 4


# --- many at once


def test_a_shape_too_wide_for_a_template_reads_the_same() -> None:
    more: list[t.Type] = [array(NEXT, U32, 1000), array(NEXT + 1, COLOR, 1000)]
    btf = btf_of(more)
    data = struct.pack("<1000I", *range(1000))
    assert json.loads(texts(btf, NEXT, data, Style.NATURAL)[3]) == list(range(1000))
    assert json.loads(texts(btf, NEXT + 1, data, Style.NATURAL)[3]) == ["RED", *range(1, 1000)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([b"abc\0", b"\0\0\0\0", b"x\0\0\0"], id="plain"),
        pytest.param([b"abc\0", b'"\0\0\0', b"\\\0\0\0"], id="quotes"),
        pytest.param([b"abc\0", b"a\0b\0", b"\0a\0\0"], id="rest-after-the-end"),
        pytest.param([b"abcd", b"a\0\0\0", b"\0\0\0\0"], id="no-end"),
        pytest.param([b"a\nb\0", b"\n\0\0\0", b"\n\n\n\n"], id="line-ends"),
        pytest.param([b"a%d\0", b"%\0\0\0", b"%%s\0"], id="percent"),
        pytest.param([b"\xff\0\0\0", b"\xc3\xa9\0\0", b"\x1b\0\0\0"], id="no-ascii"),
        pytest.param([b"\0\0\0a", b"b\0\0\0", b"\0\0\0\0"], id="only-rest"),
    ],
)
@pytest.mark.parametrize("style", Style)
def test_strings_in_bulk_are_those_one_by_one(rows: list[bytes], style: Style) -> None:
    btf = btf_of([array(NEXT, CHARACTER, 4)])
    read = compile_reader(btf, NEXT, style=style)
    part = value_part(checked_shape(btf, NEXT, style), btf.order)
    text = combine(part.template, "\n", part.columns(b"".join(rows), len(rows)), len(rows))
    assert [json.loads(line) for line in text.splitlines()] == [read(row, 0) for row in rows]


# --- what cannot be shown


def bomb(depth: int) -> list[t.Type]:
    """Structs without bytes: each level holds the one before it many times."""
    found: list[t.Type] = [t.Struct(NEXT, "zero", 0, ())]
    for level in range(1, depth):
        members = tuple(t.Member(f"m{index}", NEXT + level - 1, 0) for index in range(1000))
        found.append(t.Struct(NEXT + level, "more", 0, members))
    return found


@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param([t.Fwd(NEXT, "gone")], "is a FWD", id="forward"),
        pytest.param([t.FuncProto(NEXT, "", 0, ())], "is a FUNC_PROTO", id="prototype"),
        pytest.param([t.Typedef(NEXT, "v", 0)], "is a VOID", id="void"),
        pytest.param(
            [t.Struct(NEXT, "s", 4, (t.Member("self", NEXT, 0),))], "contains itself", id="cycle"
        ),
        pytest.param([array(NEXT, NEXT, 1)], "contains itself", id="array-of-itself"),
        pytest.param([t.Typedef(NEXT, "a", NEXT)], "modifiers", id="typedef-of-itself"),
        pytest.param(
            [t.Struct(NEXT, "s", 4, (t.Member("m", U64, 0),))], "beyond its end", id="too-large"
        ),
        pytest.param(
            [t.Struct(NEXT, "s", 4, (t.Member("m", U32, 8),))], "beyond its end", id="too-late"
        ),
        pytest.param(
            [t.Struct(NEXT, "s", 4, (t.Member("m", U32, 30, 5),))],
            "beyond its end",
            id="bits-too-late",
        ),
        pytest.param(
            [t.Struct(NEXT, "s", 64, (t.Member("m", U32, 0, 129),))],
            "bit-field of 129",
            id="wide-bits",
        ),
        pytest.param([t.Int(NEXT, "i", 1, 0, 0, 16)], "beyond its end", id="int-too-large"),
        pytest.param([t.Int(NEXT, "i", 4, 0, 30, 8)], "beyond its end", id="int-too-late"),
        pytest.param([t.Enum(NEXT, "e", 3, False, ())], "enum of 3 bytes", id="enum-size"),
        pytest.param([array(NEXT, U8, 1 << 30)], "more than", id="huge"),
        pytest.param(
            [
                t.Var(NEXT + 1, "v", U64, 1),
                t.Datasec(NEXT, ".d", 4, (t.VarSecinfo(NEXT + 1, 0, 8),)),
            ][::-1],
            "beyond its end",
            id="variable-too-large",
        ),
        pytest.param(
            [t.Datasec(NEXT, ".d", 4, (t.VarSecinfo(U32, 0, 4),))], "no variable", id="no-variable"
        ),
    ],
)
def test_types_without_values(more: list[t.Type], words: str) -> None:
    with pytest.raises(BtfError, match=words):
        compile_reader(btf_of(more), NEXT)


def test_a_bomb_of_empty_structs_is_refused() -> None:
    with pytest.raises(BtfError, match="more than"):
        compile_reader(btf_of(bomb(8)), NEXT + 7)


def test_another_size_than_the_map_says_is_refused() -> None:
    with pytest.raises(BtfError) as caught:
        compile_reader(btf_of([]), U32, size_bytes=8)
    assert caught.value.code == "btf-size-mismatch"
