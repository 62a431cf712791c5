"""What instructions make of constants."""

from __future__ import annotations

import pytest

from bpfctl.asm.constants import Absent, Place, Value, alu, jumps, signed, unsigned
from bpfctl.asm.insn import Insn

ALL = 2**64 - 1
TABLE = Place("table", 4)


@pytest.mark.parametrize(
    ("opcode", "left", "right", "result"),
    [
        pytest.param(0x07, 1, 2, 3, id="add"),
        pytest.param(0x07, ALL, 1, 0, id="add wraps"),
        pytest.param(0x04, 2**32 - 1, 1, 0, id="add of 32 bits wraps"),
        pytest.param(0x17, 1, 2, ALL, id="sub"),
        pytest.param(0x27, 3, 5, 15, id="mul"),
        pytest.param(0x47, 6, 1, 7, id="or"),
        pytest.param(0x57, 6, 3, 2, id="and"),
        pytest.param(0xA7, 6, 3, 5, id="xor"),
        pytest.param(0x67, 1, 63, 2**63, id="shift left"),
        pytest.param(0x67, 1, 64, 1, id="shift by too much"),
        pytest.param(0x77, 2**63, 63, 1, id="shift right"),
        pytest.param(0xC7, 2**63, 63, ALL, id="shift right with sign"),
        pytest.param(0xC4, 2**31, 31, 2**32 - 1, id="the same of 32 bits"),
        pytest.param(0xB7, None, ALL, ALL, id="move"),
        pytest.param(0xB4, None, ALL, 2**32 - 1, id="move of 32 bits"),
        pytest.param(0xBF, None, TABLE, TABLE, id="move an address"),
        pytest.param(0xBC, None, TABLE, None, id="half an address"),
        pytest.param(0x07, TABLE, 4, Place("table", 8), id="go on in a table"),
        pytest.param(0x07, TABLE, ALL, Place("table", 3), id="go back in a table"),
        pytest.param(0x07, Place(), 4, None, id="any address"),
        pytest.param(0x07, None, 4, None, id="unknown"),
        pytest.param(0x37, 6, 3, None, id="division is left alone"),
        pytest.param(0xD7, 6, 16, None, id="byte swaps too"),
    ],
)
def test_alu(opcode: int, left: Value, right: Value, result: Value) -> None:
    assert alu(Insn(opcode), left, right) == result


def test_sign_extension_is_left_alone() -> None:
    assert alu(Insn(0xBF, off=8), None, 1) is None


@pytest.mark.parametrize(
    ("opcode", "left", "right", "taken"),
    [
        pytest.param(0x15, 0, 0, True, id="equal"),
        pytest.param(0x15, 1, 0, False, id="not equal"),
        pytest.param(0x55, 1, 0, True, id="differs"),
        pytest.param(0x25, ALL, 1, True, id="greater"),
        pytest.param(0x35, 1, 1, True, id="greater or equal"),
        pytest.param(0x45, 6, 1, False, id="bits"),
        pytest.param(0xA5, 1, ALL, True, id="less"),
        pytest.param(0xB5, 2, 1, False, id="less or equal"),
        pytest.param(0x65, ALL, 0, False, id="greater, signed"),
        pytest.param(0x75, 0, ALL, True, id="greater or equal, signed"),
        pytest.param(0xC5, ALL, 0, True, id="less, signed"),
        pytest.param(0xD5, 1, 0, False, id="less or equal, signed"),
        pytest.param(0x16, 2**32, 0, True, id="equal in 32 bits"),
        pytest.param(0xC6, 2**31, 0, True, id="less in 32 bits"),
        pytest.param(0x15, TABLE, 0, False, id="an address is not 0"),
        pytest.param(0x55, TABLE, 0, True, id="an address differs from 0"),
        pytest.param(0x16, TABLE, 0, None, id="half an address may be"),
        pytest.param(0x15, TABLE, 1, None, id="an address and a number"),
        pytest.param(0x15, Absent("x"), 0, True, id="what is absent is 0"),
        pytest.param(0x15, None, 0, None, id="unknown"),
        pytest.param(0xE5, 0, 0, None, id="another jump"),
    ],
)
def test_jumps(opcode: int, left: Value, right: Value, taken: bool | None) -> None:
    assert jumps(Insn(opcode), left, right) is taken


def test_signs() -> None:
    assert (signed(2**32 - 1, 32), signed(5, 32), unsigned(-1)) == (-1, 5, ALL)
