"""Which instructions a walk over constants reaches."""

from __future__ import annotations

from typing import Any

import pytest

from bpfctl.asm.constants import Absent, Place
from bpfctl.asm.insn import BPF_PSEUDO_FUNC, Insn, encode, ld_imm64
from bpfctl.asm.reach import Code, reach

EXIT = Insn(0x95)
HELPER = Insn(0x85, imm=1)


def mov(dst: int, imm: int) -> Insn:
    return Insn(0xB7, dst, imm=imm)


def copy(dst: int, src: int) -> Insn:
    return Insn(0xBF, dst, src)


def goto(off: int) -> Insn:
    return Insn(0x05, off=off)


def if_zero(dst: int, off: int) -> Insn:
    return Insn(0x15, dst, off=off)


def call(off: int) -> Insn:
    """Call the function that begins `off` instructions behind the next one."""
    return Insn(0x85, src=1, imm=off)


def walked(*insns: Insn, **more: Any) -> list[int]:
    return sorted(reach(Code(encode(list(insns)), **more)).insns)


@pytest.mark.parametrize(
    ("insns", "reached"),
    [
        pytest.param([mov(0, 0), EXIT], [0, 1], id="straight"),
        pytest.param([mov(1, 0), if_zero(1, 1), HELPER, EXIT], [0, 1, 3], id="a known branch"),
        pytest.param([mov(1, 1), if_zero(1, 1), HELPER, EXIT], [0, 1, 2, 3], id="the other way"),
        pytest.param([HELPER, if_zero(0, 1), HELPER, EXIT], [0, 1, 2, 3], id="an unknown branch"),
        pytest.param([goto(1), HELPER, EXIT], [0, 2], id="jumped over"),
        pytest.param([Insn(0x06, imm=1), HELPER, EXIT], [0, 2], id="a long jump"),
        pytest.param(
            [mov(1, 0), HELPER, if_zero(1, 1), HELPER, EXIT], [0, 1, 2, 3, 4],
            id="a call forgets its arguments",
        ),
        pytest.param(
            [mov(6, 0), HELPER, if_zero(6, 1), HELPER, EXIT], [0, 1, 2, 4],
            id="a call keeps the rest",
        ),
        pytest.param(
            [HELPER, if_zero(0, 1), goto(1), if_zero(0, 1), HELPER, EXIT], [0, 1, 2, 3, 4, 5],
            id="equality is forgotten where ways meet",
        ),
        pytest.param(
            [HELPER, if_zero(0, 1), EXIT, if_zero(0, 1), HELPER, EXIT], [0, 1, 2, 3, 5],
            id="who is equal to a constant is one",
        ),
        pytest.param(
            [mov(6, 1), HELPER, if_zero(0, 1), mov(6, 0), if_zero(6, 1), HELPER, EXIT],
            [0, 1, 2, 3, 4, 5, 6], id="ways with different constants meet",
        ),
        pytest.param(
            [mov(6, 0), Insn(0x07, 6, imm=1), HELPER, if_zero(0, -3), if_zero(6, 1), HELPER, EXIT],
            [0, 1, 2, 3, 4, 5, 6], id="a loop counts",
        ),
        pytest.param(
            [mov(1, 0), Insn(0x7B, 10, 1, -8), mov(1, 5), Insn(0x79, 1, 10, -8), if_zero(1, 1),
             HELPER, EXIT],
            [0, 1, 2, 3, 4, 6], id="kept on the stack",
        ),
        pytest.param(
            [mov(1, 0), Insn(0x7B, 10, 1, -8), Insn(0x63, 10, 1, -4), Insn(0x79, 1, 10, -8),
             if_zero(1, 1), HELPER, EXIT],
            [0, 1, 2, 3, 4, 5, 6], id="half of it written over",
        ),
        pytest.param(
            [mov(1, 0), Insn(0x7B, 10, 1, -8), HELPER, Insn(0x79, 1, 10, -8), if_zero(1, 1),
             HELPER, EXIT],
            [0, 1, 2, 3, 4, 5, 6], id="a call may write it",
        ),
        pytest.param(
            [mov(1, 0), Insn(0x7B, 10, 1, -8), Insn(0x7A, 2), Insn(0x79, 1, 10, -8),
             if_zero(1, 1), HELPER, EXIT],
            [0, 1, 2, 3, 4, 5, 6], id="a pointer may lead to it",
        ),
        pytest.param(
            [mov(2, 0), Insn(0xDB, 1, 2, 0, 1), if_zero(2, 1), HELPER, EXIT], [0, 1, 2, 3, 4],
            id="an atomic operation fetches",
        ),
        pytest.param([Insn(0xE5, off=1), HELPER, EXIT], [0, 1, 2], id="may_goto may"),
        pytest.param([Insn(0x0D, 1), HELPER, EXIT], [0, 1, 2], id="an indirect jump goes anywhere"),
        pytest.param([mov(0, 0), Insn(0x20), if_zero(0, 1), HELPER, EXIT], [0, 1, 2, 3, 4],
                     id="a packet is read into a register"),
        pytest.param([goto(100)], [0], id="out of the code"),
    ],
)  # fmt: skip
def test_one_function(insns: list[Insn], reached: list[int]) -> None:
    assert walked(*insns) == reached


@pytest.mark.parametrize(
    ("value", "reached"),
    [
        pytest.param(Place(), [0, 2, 3, 4], id="there"),
        pytest.param(Absent("it"), [0, 2, 4], id="not there"),
        pytest.param(None, [0, 2, 3, 4], id="unknown"),
    ],
)
def test_an_address(value: Any, reached: list[int]) -> None:
    insns = [*ld_imm64(1, 0), if_zero(1, 1), HELPER, EXIT]
    assert walked(*insns, loads={0: value}) == reached


@pytest.mark.parametrize(
    ("insns", "contents", "reached"),
    [
        pytest.param([Insn(0x71, 2, 1, 1)], {"c": b"\1\0"}, [0, 2, 3, 5], id="a byte"),
        pytest.param([Insn(0x61, 2, 1, 0)], {"c": b"\0\0\0\1"}, [0, 2, 3, 4, 5], id="a word"),
        pytest.param([Insn(0x61, 2, 1, 0)], {"c": b"\0\0\0"}, [0, 2, 3, 4, 5], id="behind the end"),
        pytest.param([Insn(0x71, 2, 1, -1)], {"c": b"\0"}, [0, 2, 3, 4, 5], id="before it"),
        pytest.param([Insn(0x71, 2, 1, 0)], {}, [0, 2, 3, 4, 5], id="changes"),
        pytest.param([Insn(0x91, 2, 1, 0)], {"c": b"\0"}, [0, 2, 3, 4, 5], id="sign-extended"),
    ],
)
def test_constants(insns: list[Insn], contents: dict[str, bytes], reached: list[int]) -> None:
    code = [*ld_imm64(1, 0), *insns, if_zero(2, 1), HELPER, EXIT]
    assert walked(*code, loads={0: Place("c")}, contents=contents) == reached


def test_what_nobody_knows() -> None:
    code = [mov(1, 0), if_zero(1, 1), HELPER, EXIT]
    assert walked(*code, unknown={0}) == [0, 1, 2, 3]


CALLED = [mov(1, 0), call(1), EXIT, if_zero(1, 1), HELPER, EXIT]


def test_a_static_function_knows_its_arguments() -> None:
    assert walked(*CALLED, starts=(0, 3)) == [0, 1, 2, 3, 5]


def test_a_global_function_takes_any() -> None:
    assert walked(*CALLED, starts=(0, 3), apart=frozenset({3})) == [0, 1, 2, 3, 4, 5]


def test_arguments_of_two_calls_meet() -> None:
    code = [mov(1, 0), call(3), mov(1, 1), call(1), EXIT, if_zero(1, 1), HELPER, EXIT]
    assert walked(*code, starts=(0, 5)) == list(range(8))


@pytest.mark.parametrize(
    ("result", "reached"),
    [
        pytest.param([mov(0, 0)], [0, 1, 3, 4, 5], id="constant"),
        pytest.param([copy(0, 1)], [0, 1, 2, 3, 4, 5], id="unknown"),
    ],
)
def test_what_a_function_returns(result: list[Insn], reached: list[int]) -> None:
    code = [call(3), if_zero(0, 1), HELPER, EXIT, *result, EXIT]
    assert walked(*code, starts=(0, 4)) == reached


@pytest.mark.parametrize(
    ("eager", "reached"), [pytest.param(False, [0, 1], id="6.8"), pytest.param(True, [0, 1, 2, 3])]
)
def test_global_functions_that_nobody_calls(eager: bool, reached: list[int]) -> None:
    code = [mov(0, 0), EXIT, HELPER, EXIT]
    assert walked(*code, starts=(0, 2), apart=frozenset({2}), eager=eager) == reached


def test_functions_that_the_kernel_calls() -> None:
    code = [mov(0, 0), EXIT, HELPER, EXIT]
    assert walked(*code, starts=(0, 2), roots=(2,)) == [0, 1, 2, 3]
    address = ld_imm64(1, 2, BPF_PSEUDO_FUNC)
    assert walked(*address, EXIT, HELPER, EXIT, starts=(0, 3)) == [0, 2, 3, 4]


@pytest.mark.parametrize(
    ("insn", "absent"),
    [
        pytest.param(Insn(0x61, 2, 1, 8), {2: "it"}, id="read"),
        pytest.param(Insn(0x63, 1, 2), {2: "it"}, id="written"),
        pytest.param(copy(2, 1), {}, id="copied"),
    ],
)
def test_uses_of_what_is_absent(insn: Insn, absent: dict[int, str]) -> None:
    code = [*ld_imm64(1, 0), insn, EXIT]
    assert dict(reach(Code(encode(code), loads={0: Absent("it")})).absent) == absent


def test_a_use_that_another_way_redeems() -> None:
    code = [*ld_imm64(1, 0), HELPER, if_zero(0, 1), copy(6, 7), Insn(0x61, 2, 6), EXIT]
    code[2:2] = [copy(6, 1)]
    assert reach(Code(encode(code), loads={0: Absent("it")})).absent == {}
