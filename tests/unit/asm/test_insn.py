"""Instructions to bytes and back, in both byte orders."""

from __future__ import annotations

import pytest

from bpfctl.asm.insn import (
    BPF_CALL_IMM,
    BPF_EXIT_INSN,
    BPF_LD_IMM64,
    Insn,
    decode,
    encode,
    find_opcode,
    imm64,
    ld_imm64,
    references,
    signed32,
    unpack,
    write,
)


@pytest.mark.parametrize(
    ("order", "raw"),
    [
        pytest.param("<", "61210800fbffffff", id="little"),
        pytest.param(">", "61120008fffffffb", id="big"),
    ],
)
def test_a_slot_and_its_bytes(order: str, raw: str) -> None:
    insn = Insn(0x61, dst=1, src=2, off=8, imm=-5)
    assert insn.pack(order).hex() == raw
    assert unpack(bytes.fromhex(raw), 0, order) == insn
    assert decode(bytes.fromhex(raw), order) == [insn]


@pytest.mark.parametrize("order", ["<", ">"])
def test_many_slots(order: str) -> None:
    insns = [*ld_imm64(10, -2, src=4), Insn(BPF_CALL_IMM, imm=1), Insn(BPF_EXIT_INSN)]
    assert decode(encode(insns, order), order) == insns


@pytest.mark.parametrize("imm", [0xFFFF_FFFF, -1], ids=["unsigned", "signed"])
def test_an_immediate_may_be_given_unsigned(imm: int) -> None:
    assert Insn(0xB7, imm=imm).pack()[4:] == b"\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("value", "slots"),
    [
        pytest.param(0, (0, 0), id="zero"),
        pytest.param(0x8000_0000, (-0x8000_0000, 0), id="bit-31"),
        pytest.param(0x1_0000_0002, (2, 1), id="two-words"),
        pytest.param(0xFFFF_FFFF_FFFF_FFFE, (-2, -1), id="large"),
    ],
)
def test_a_wide_immediate(value: int, slots: tuple[int, int]) -> None:
    first, second = ld_imm64(3, value, src=1)
    assert first == Insn(BPF_LD_IMM64, dst=3, src=1, imm=slots[0])
    assert second == Insn(0, imm=slots[1])
    assert imm64(first, second) == value


def test_a_negative_wide_immediate() -> None:
    assert imm64(*ld_imm64(0, -1)) == 0xFFFF_FFFF_FFFF_FFFF


@pytest.mark.parametrize(
    ("value", "signed"), [(0, 0), (0x7FFF_FFFF, 0x7FFF_FFFF), (0x8000_0000, -0x8000_0000), (-1, -1)]
)
def test_signed32(value: int, signed: int) -> None:
    assert signed32(value) == signed


@pytest.mark.parametrize("index", [-1, 1])
def test_no_such_slot(index: int) -> None:
    code = bytearray(8)
    with pytest.raises(IndexError, match=f"no instruction {index} in 8 bytes"):
        unpack(code, index)
    with pytest.raises(IndexError, match=f"no instruction {index} in 8 bytes"):
        write(code, index, Insn(0))
    assert code == bytearray(8)


def test_half_a_slot() -> None:
    with pytest.raises(ValueError, match="12 bytes of code"):
        decode(bytes(12))


def test_writing_replaces_one_slot() -> None:
    code = bytearray(encode([Insn(0xB7), Insn(0xB7), Insn(0xB7)]))
    write(code, 1, Insn(BPF_EXIT_INSN))
    assert [insn.opcode for insn in decode(code)] == [0xB7, BPF_EXIT_INSN, 0xB7]


def test_only_opcodes_are_searched() -> None:
    # The opcodes of ld_imm64 and call stand in every other byte too.
    decoy = Insn(0xB7, dst=5, src=8, off=0x1885, imm=0x18851885)
    insns = [decoy, *ld_imm64(1, 0x18), decoy, Insn(BPF_CALL_IMM, src=1, imm=-1), decoy]
    code = encode(insns)
    assert list(find_opcode(code, BPF_LD_IMM64)) == [1]
    assert list(find_opcode(code, BPF_CALL_IMM)) == [4]
    assert references(code) == [(1, insns[1]), (4, insns[4])]
    assert references(bytearray(encode(insns, ">")), ">") == [(1, insns[1]), (4, insns[4])]


@pytest.mark.parametrize(
    ("insn", "what"),
    [
        pytest.param(Insn(BPF_LD_IMM64), "is_ld_imm64", id="ld_imm64"),
        pytest.param(Insn(BPF_LD_IMM64, src=4), "is_function_address", id="function-address"),
        pytest.param(Insn(BPF_CALL_IMM, imm=1), "is_helper_call", id="helper"),
        pytest.param(Insn(BPF_CALL_IMM, src=1), "is_subprogram_call", id="subprogram"),
        pytest.param(Insn(BPF_CALL_IMM, src=2), "is_kfunc_call", id="kfunc"),
    ],
)
def test_what_an_instruction_is(insn: Insn, what: str) -> None:
    calls = ["is_helper_call", "is_subprogram_call", "is_kfunc_call", "is_function_address"]
    assert getattr(insn, what)
    assert [name for name in calls if getattr(insn, name)] == [what] * (what in calls)
