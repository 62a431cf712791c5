"""Values of Python to the bytes of a type."""

from __future__ import annotations

from typing import Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.encode_value import encode_value
from bpfctl.btf.values import compile_reader
from bpfctl.errors import UsageError

U32, S16, BOOL, CHARS, WORDS, HUE, PAIR, NEST = 1, 2, 3, 5, 6, 7, 8, 9
HUES = (t.EnumValue("RED", 0), t.EnumValue("BLUE", 5))
BITS = (t.Member("low", 1, 0, 4), t.Member("high", 1, 4, 28), t.Member("s", 2, 32))


def types() -> Btf:
    builder = BtfBuilder()
    builder.add_all(
        (
            t.Int(1, "unsigned int", 4, 0, 0, 32),
            t.Int(2, "short", 2, t.IntEncoding.SIGNED, 0, 16),
            t.Int(3, "_Bool", 1, t.IntEncoding.BOOL, 0, 8),
            t.Int(4, "char", 1, t.IntEncoding.CHAR, 0, 8),
            t.Array(5, "", 4, 1, 8),
            t.Array(6, "", 1, 1, 3),
            t.Enum(7, "hue", 4, signed=False, values=HUES),
            t.Struct(8, "pair", 8, BITS),
            t.Struct(9, "nest", 20, (t.Member("", 8, 0), t.Member("rest", 6, 64))),
        )
    )
    return Btf.parse(builder.build())


@pytest.mark.parametrize(
    ("type_id", "value"),
    [
        pytest.param(U32, 4_000_000_000, id="number"),
        pytest.param(S16, -2, id="negative"),
        pytest.param(BOOL, True, id="bool"),
        pytest.param(CHARS, "hello", id="text"),
        pytest.param(WORDS, [1, 2, 3], id="list"),
        pytest.param(HUE, "BLUE", id="name"),
        pytest.param(PAIR, {"low": 9, "high": 77, "s": -1}, id="bit-fields"),
        pytest.param(NEST, {"low": 1, "high": 2, "s": 3, "rest": [4, 5, 6]}, id="anonymous"),
    ],
)
def test_what_is_read_is_what_was_written(type_id: int, value: Any) -> None:
    btf = types()
    data = encode_value(btf, type_id, value)
    assert len(data) == btf.size_of(type_id)
    assert compile_reader(btf, type_id)(data, 0) == value


@pytest.mark.parametrize(
    ("type_id", "value", "data"),
    [
        pytest.param(U32, b"\1\2\3\4", "01020304", id="bytes as they are"),
        pytest.param(WORDS, [1], "010000000000000000000000", id="the rest of a list is zero"),
        pytest.param(PAIR, {"s": 1}, "0000000001000000", id="members that are not said"),
    ],
)
def test_bytes(type_id: int, value: Any, data: str) -> None:
    assert encode_value(types(), type_id, value).hex() == data


@pytest.mark.parametrize(
    ("type_id", "value", "message"),
    [
        pytest.param(U32, b"\1", "unsigned int has 4 bytes, not 1", id="other size"),
        pytest.param(S16, 40000, "40000 does not fit", id="too large"),
        pytest.param(PAIR, {"mid": 1}, "struct pair has no member mid", id="no member"),
        pytest.param(WORDS, [1, 2, 3, 4], "takes no list of 4 values", id="too long"),
        pytest.param(U32, [1], "unsigned int takes no list of 1 values", id="no array"),
        pytest.param(U32, {"a": 1}, "unsigned int has no member a", id="no struct"),
        pytest.param(HUE, "GREEN", "is no number and no value of the enumeration", id="no name"),
    ],
)
def test_values_that_do_not_fit(type_id: int, value: Any, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        encode_value(types(), type_id, value)
    assert message in raised.value.message
