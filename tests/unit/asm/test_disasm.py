"""Instructions in the verifier's words; tests/kernel/test_disasm.py lets it confirm them."""

from __future__ import annotations

import pytest

from bpfctl.asm.disasm import disassemble, helper_name, listing
from bpfctl.asm.insn import Insn, encode, ld_imm64

from .insn_texts import LOGGED, NO_INSTRUCTION, REFERENCES, UNLOGGED, WIDE


@pytest.mark.parametrize(("text", "insn"), (LOGGED | UNLOGGED).items(), ids=str)
def test_one_slot(text: str, insn: Insn) -> None:
    assert disassemble(insn) == text


@pytest.mark.parametrize(("text", "slots"), (WIDE | REFERENCES).items(), ids=str)
def test_two_slots(text: str, slots: tuple[Insn, Insn]) -> None:
    assert disassemble(*slots) == text


@pytest.mark.parametrize("insn", NO_INSTRUCTION, ids=lambda insn: insn.pack().hex())
def test_no_instruction(insn: Insn) -> None:
    assert disassemble(insn) == f".insn 0x{insn.pack().hex()}"


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_listing(order: str) -> None:
    insns = [Insn(0xB7, 0), *ld_imm64(1, 5), Insn(0x85, imm=1), Insn(0x95), ld_imm64(2, 1)[0]]
    assert list(listing(encode(insns, order), order)) == [
        (0, "r0 = 0"),
        (1, "r1 = 0x5"),
        (3, "call bpf_map_lookup_elem#1"),
        (4, "exit"),
        (5, ".insn 0x1802000001000000"),
    ]


def test_helpers() -> None:
    assert helper_name(1) == "bpf_map_lookup_elem"
    assert helper_name(10**6) == "unknown"
