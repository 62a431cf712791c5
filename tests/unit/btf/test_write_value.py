"""Values in words, for types that no compiler of ours makes."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.access import Place
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.write_value import write_value
from bpfctl.errors import UsageError

TYPES = (
    t.Float(1, "float", 4),
    t.Float(2, "half", 2),
    t.Enum(3, "wide", 8, True, (t.EnumValue("LOW", -(1 << 40)),), is64=True),
    t.Ptr(4, "", 1),
    t.Int(5, "unsigned", 4, 0, 0, 32),
    t.Array(6, "", 1, 5, 2),
    t.Struct(7, "empty", 0, ()),
    t.Int(8, "unsigned char", 1, 0, 0, 8),
    t.Array(9, "", 8, 5, 6),
    t.Int(10, "char", 1, 1, 0, 8),
    t.Array(11, "", 10, 5, 6),
)
FLOAT, HALF, WIDE, POINTER, UNSIGNED, FLOATS, EMPTY, _, OCTETS, _, CHARS = range(1, 12)


def types() -> Btf:
    builder = BtfBuilder()
    for one in TYPES:
        builder.add(one)
    return Btf.parse(builder.build())


BTF = types()


def written(type_id: int, text: str, *, offset_bits: int = 0, bits: int = 0) -> bytes:
    data = bytearray(b"\xff" * 8)
    write_value(BTF, data, Place(type_id, offset_bits, bits), text)
    return bytes(data)


@pytest.mark.parametrize(
    ("type_id", "text", "data"),
    [
        (FLOAT, "1.5", b"\0\0\xc0\x3f\xff\xff\xff\xff"),
        (FLOATS, "1.5, 0", b"\0\0\xc0\x3f\0\0\0\0"),
        (WIDE, "LOW", b"\0\0\0\0\0\xff\xff\xff"),
        (WIDE, "-1", b"\xff" * 8),
        (OCTETS, "0,17,0x22,'a',4,255", b"\0\x11\x22a\x04\xff\xff\xff"),
        (CHARS, "1,2", b"1,2\0\0\0\xff\xff"),
        (UNSIGNED, "0b11", b"\3\0\0\0\xff\xff\xff\xff"),
    ],
)
def test_values(type_id: int, text: str, data: bytes) -> None:
    assert written(type_id, text) == data


def test_a_bit_field_over_the_edge_of_a_byte_keeps_its_neighbours() -> None:
    assert written(UNSIGNED, "0", offset_bits=6, bits=4) == b"\x3f\xfc" + b"\xff" * 6


@pytest.mark.parametrize(
    ("type_id", "text", "message"),
    [
        (FLOAT, "1e39", "1e39 does not fit into 4 bytes"),
        (FLOAT, "much", '"much" is no number'),
        (HALF, "1", "half cannot be set"),
        (POINTER, "1", r"float \* cannot be set"),
        (
            WIDE,
            "9223372036854775808",
            "enum wide holds -9223372036854775808 to 9223372036854775807",
        ),
        (EMPTY, "1", "struct empty is set a member at a time"),
    ],
)
def test_values_that_cannot_be_written(type_id: int, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        written(type_id, text)
    assert raised.value.code == "variable-value"
