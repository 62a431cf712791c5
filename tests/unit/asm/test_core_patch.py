"""CO-RE values written into instructions."""

from __future__ import annotations

import pytest

from bpfctl.asm import core_patch
from bpfctl.asm.core_patch import POISON_HELPER, Patch
from bpfctl.asm.insn import Insn, decode, encode, ld_imm64
from bpfctl.errors import RelocationError

MOV64, ADD64, MOV32 = 0xB7, 0x07, 0xB4
LDXDW, LDXW, LDXH, LDXB, STXW, STW, LDXSW = 0x79, 0x61, 0x69, 0x71, 0x63, 0x62, 0x81
POISON = Insn(0x85, imm=POISON_HELPER)


def patched(insns: list[Insn], patch: Patch, order: str = "<", index: int = 0) -> list[Insn]:
    code = bytearray(encode(insns, order))
    assert core_patch.apply(code, index, patch, order)
    return decode(code, order)


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        pytest.param(Insn(MOV64, 1, imm=8), Patch(16, 8), Insn(MOV64, 1, imm=16), id="mov64"),
        pytest.param(Insn(ADD64, 1, imm=8), Patch(16, 8), Insn(ADD64, 1, imm=16), id="add64"),
        pytest.param(Insn(MOV32, 1, imm=8), Patch(16, 8), Insn(MOV32, 1, imm=16), id="mov32"),
        pytest.param(Insn(MOV64, 1, imm=8), Patch(16), Insn(MOV64, 1, imm=16), id="unchecked"),
        pytest.param(Insn(MOV64, 1, imm=-3), Patch(-4, -3), Insn(MOV64, 1, imm=-4), id="negative"),
        pytest.param(
            Insn(MOV32, 1, imm=-1),
            Patch(0xFFFF_FFFE, 0xFFFF_FFFF),
            Insn(MOV32, 1, imm=-2),
            id="u32",
        ),
        pytest.param(
            Insn(MOV64, 1, imm=-1),
            Patch(0xFFFF_FFFE, 0xFFFF_FFFF, value_bits=32),
            Insn(MOV64, 1, imm=-2),
            id="sign-unknown",
        ),
        pytest.param(
            Insn(LDXDW, 1, 2, off=8), Patch(0x7FFF, 8), Insn(LDXDW, 1, 2, off=0x7FFF), id="ldx"
        ),
        pytest.param(Insn(STXW, 1, 2, off=8), Patch(0, 8), Insn(STXW, 1, 2, off=0), id="stx"),
        pytest.param(Insn(STW, 1, off=8, imm=3), Patch(4, 8), Insn(STW, 1, off=4, imm=3), id="st"),
        pytest.param(Insn(LDXSW, 1, 2, off=8), Patch(4, 8), Insn(LDXSW, 1, 2, off=4), id="ldxs"),
        pytest.param(
            Insn(0xDB, 1, 2, off=8, imm=1), Patch(4, 8), Insn(0xDB, 1, 2, off=4, imm=1), id="atomic"
        ),
        pytest.param(
            Insn(LDXDW, 1, 2, off=8),
            Patch(4, 8, memory=(8, 4), adjustable=True),
            Insn(LDXW, 1, 2, off=4),
            id="shrink-a-load",
        ),
        pytest.param(
            Insn(LDXB, 1, 2, off=8),
            Patch(4, 8, memory=(1, 2), adjustable=True),
            Insn(LDXH, 1, 2, off=4),
            id="widen-a-load",
        ),
        pytest.param(
            Insn(MOV64, 1, imm=8),
            Patch(4, 8, memory=(8, 3)),
            Insn(MOV64, 1, imm=4),
            id="alu-any-size",
        ),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_one_slot(before: Insn, patch: Patch, after: Insn, order: str) -> None:
    assert patched([Insn(0), before, Insn(0)], patch, order, 1) == [Insn(0), after, Insn(0)]


@pytest.mark.parametrize(
    ("now", "patch", "then"),
    [
        pytest.param(8, Patch(16, 8), 16, id="small"),
        pytest.param(8, Patch(0x1_0000_0000_0001, 8), 0x1_0000_0000_0001, id="enum64"),
        pytest.param(-1, Patch(-2, -1), -2, id="negative"),
        pytest.param(-1, Patch(0xFFFF_FFFE, 0xFFFF_FFFF, 32), -2, id="taken-for-signed"),
        pytest.param(0xFFFF_FFFF, Patch(0xFFFF_FFFE, 0xFFFF_FFFF, 32), 0xFFFF_FFFE, id="unsigned"),
        pytest.param(7, Patch(-2, 7, 32), -2, id="becomes-negative"),
        pytest.param(-1, Patch(0xFFFF_FFFE, -1), 0xFFFF_FFFE, id="known-in-64-bits"),
    ],
)
def test_both_slots_of_a_wide_constant(now: int, patch: Patch, then: int) -> None:
    assert patched([*ld_imm64(3, now)], patch) == [*ld_imm64(3, then)]


@pytest.mark.parametrize(
    ("insns", "patch", "message"),
    [
        pytest.param([Insn(MOV64, imm=9)], Patch(16, 8), "holds 9 instead of 8", id="alu"),
        pytest.param([Insn(LDXW, off=9)], Patch(16, 8), "holds 9 instead of 8", id="ldx"),
        pytest.param([*ld_imm64(0, 9)], Patch(16, 8), "holds 9 instead of 8", id="imm64"),
        pytest.param(
            [*ld_imm64(0, 1 << 32 | 8)], Patch(16, 8), "holds 4294967304 instead", id="imm64-high"
        ),
        pytest.param([Insn(MOV64)], Patch(1 << 31), "cannot hold 2147483648", id="alu64-large"),
        pytest.param([Insn(MOV32)], Patch(1 << 32), "cannot hold 4294967296", id="alu32-large"),
        pytest.param([Insn(LDXW)], Patch(1 << 15), "cannot hold offset 32768", id="far"),
        pytest.param([Insn(LDXW)], Patch(-1), "cannot hold offset -1", id="before"),
        pytest.param(
            [Insn(0x0F)], Patch(1), "cannot hold a CO-RE value .opcode 0x0f", id="alu-reg"
        ),
        pytest.param([Insn(0x05)], Patch(1), "cannot hold a CO-RE value .opcode 0x05", id="jump"),
        pytest.param([Insn(0x20)], Patch(1), "cannot hold a CO-RE value .opcode 0x20", id="ld-abs"),
        pytest.param(
            [*ld_imm64(0, 1, src=1)], Patch(1), "is no plain 64-bit constant", id="map-reference"
        ),
        pytest.param(
            [ld_imm64(0, 1)[0], Insn(MOV64)], Patch(1), "no plain 64-bit constant", id="no-second"
        ),
        pytest.param([ld_imm64(0, 1)[0]], Patch(1), "lies behind the end", id="cut"),
        pytest.param([], Patch(1), "lies behind the end", id="empty"),
        pytest.param(
            [Insn(LDXW)],
            Patch(4, 0, memory=(8, 4), adjustable=True),
            "moves 4 bytes of a field of 8, which has 4 in the kernel",
            id="partial-load",
        ),
        pytest.param(
            [Insn(LDXW)],
            Patch(4, 0, memory=(4, 16), adjustable=True),
            "cannot move 16 bytes at once",
            id="int128",
        ),
    ],
)
def test_refused(insns: list[Insn], patch: Patch, message: str) -> None:
    code = bytearray(encode(insns))
    before = bytes(code)
    with pytest.raises(RelocationError, match=message) as caught:
        core_patch.apply(code, 0, patch)
    assert caught.value.code == "core-instruction"
    assert caught.value.insn_index in (0, 1)
    assert code == before


def test_the_error_names_the_access() -> None:
    patch = Patch(1, 2, symbol="struct file.f_mode (0:3)")
    with pytest.raises(RelocationError, match=r"struct file\.f_mode") as caught:
        core_patch.apply(bytearray(encode([Insn(MOV64, imm=3)])), 0, patch)
    assert caught.value.symbol == "struct file.f_mode (0:3)"


def test_a_load_of_another_size_is_poisoned() -> None:
    code = bytearray(encode([Insn(LDXDW, 1, 2, off=8), Insn(0x95)]))
    assert not core_patch.apply(code, 0, Patch(4, 8, memory=(8, 4), adjustable=False))
    assert decode(code) == [POISON, Insn(0x95)]
    assert core_patch.is_poison(decode(code)[0])


@pytest.mark.parametrize(
    ("insns", "after"),
    [
        pytest.param([Insn(LDXDW, 1, 2, 8), Insn(0x95)], [POISON, Insn(0x95)], id="one-slot"),
        pytest.param([*ld_imm64(1, 7), Insn(0x95)], [POISON, POISON, Insn(0x95)], id="two-slots"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_poison(insns: list[Insn], after: list[Insn], order: str) -> None:
    code = bytearray(encode(insns, order))
    core_patch.poison(code, 0, order)
    assert decode(code, order) == after


@pytest.mark.parametrize("insns", [[], [ld_imm64(1, 7)[0]]], ids=["empty", "cut"])
def test_nothing_to_poison(insns: list[Insn]) -> None:
    code = bytearray(encode(insns))
    with pytest.raises(RelocationError, match="lies behind the end of the program"):
        core_patch.poison(code, 0)
    assert code == encode(insns)
