from __future__ import annotations

import pytest

from bpfctl.asm.insn import BPF_CALL_IMM, Insn, encode
from bpfctl.explain.verifier_code import Does, access, compared
from bpfctl.explain.verifier_origin import trace
from bpfctl.explain.verifier_path import Way
from bpfctl.explain.verifier_steps import walk
from bpfctl.rejected import ProgramCode


def code_of(*insns: Insn) -> bytes:
    return encode(list(insns))


MOV_R6_R0 = Insn(0xBF, 6, 0)
SAVE_R0 = Insn(0x7B, 10, 0, -8)
FILL_R2 = Insn(0x79, 2, 10, -8)
CALL = Insn(BPF_CALL_IMM, imm=7)
SUBPROGRAM = Insn(BPF_CALL_IMM, src=1, imm=1)
READ_CTX = Insn(0x61, 1, 1, 4)
SET_R0 = Insn(0xB7, 0, 0, 0, 5)
ADD_R6_R1 = Insn(0x0F, 6, 1)
EXIT = Insn(0x95)
TEST_R6 = Insn(0x15, 6, 0, 1)


@pytest.mark.parametrize(
    ("log", "code", "register", "at", "does", "hops"),
    [
        pytest.param(
            "0: (85) call f#7\n1: (bf) r6 = r0\n2: (79) r1 = *(u64 *)(r6 +0)\n",
            code_of(CALL, MOV_R6_R0, EXIT),
            6,
            0,
            Does.CALL,
            (1,),
            id="copied",
        ),
        pytest.param(
            "0: (85) call f#7\n1: (7b) *(u64 *)(r10 -8) = r0\n2: (79) r2 = *(u64 *)(r10 -8)\n"
            "3: (95) exit\n",
            code_of(CALL, SAVE_R0, FILL_R2, EXIT),
            2,
            0,
            Does.CALL,
            (1, 2),
            id="saved on the stack and restored",
        ),
        pytest.param(
            "0: (61) r1 = *(u32 *)(r1 +4)\n1: (95) exit\n",
            code_of(READ_CTX, EXIT),
            1,
            0,
            Does.LOAD,
            (),
            id="read",
        ),
        pytest.param(
            "0: (85) call f#7\n1: (95) exit\n",
            code_of(CALL, EXIT),
            3,
            0,
            Does.DESTROY,
            (),
            id="destroyed by a call",
        ),
        pytest.param(
            "0: (85) call pc+1\n2: (b7) r0 = 5\n3: (95) exit\n1: (95) exit\n",
            code_of(SUBPROGRAM, EXIT, SET_R0, EXIT),
            0,
            1,
            Does.CONSTANT,
            (),
            id="returned by a function of the program",
        ),
        pytest.param(
            "0: (61) r1 = *(u32 *)(r1 +4)\n1: (85) call pc+1\n3: (95) exit\n",
            code_of(READ_CTX, SUBPROGRAM, EXIT, EXIT),
            1,
            0,
            Does.LOAD,
            (1,),
            id="passed to a function",
        ),
        pytest.param(
            "0: (85) call f#7\n1: (bf) r6 = r0\n2: (0f) r6 += r1\n3: (95) exit\n",
            code_of(CALL, MOV_R6_R0, ADD_R6_R1, EXIT),
            6,
            0,
            Does.CALL,
            (1, 2),
            id="changed",
        ),
    ],
)
def test_where_a_value_comes_from(
    log: str, code: bytes, register: int, at: int, does: Does, hops: tuple[int, ...]
) -> None:
    steps = walk(log)
    found = trace(steps, code, len(steps) - 1, register)
    assert found.effect is not None
    assert (found.at, found.effect.does, found.hops) == (at, does, hops)


def test_what_was_there_from_the_start() -> None:
    steps = walk("0: (bf) r6 = r0\n1: (95) exit\n")
    found = trace(steps, code_of(MOV_R6_R0, EXIT), 1, 1)
    assert (found.at, found.effect, found.register) == (None, None, 1)


def test_branches_that_compared_it_are_told() -> None:
    log = "0: (bf) r6 = r0\n1: (15) if r6 == 0x0 goto pc+1\n2: (95) exit\n"
    code = code_of(MOV_R6_R0, TEST_R6, EXIT)
    steps = walk(log)
    assert trace(steps, code, 2, 6).tests == (1,)
    way = Way(ProgramCode(code), steps, 6)
    assert not way.untested
    assert [place.text for place in way.places()] == [
        "r6 = r0",
        "if r6 == 0x0 goto pc+1: not taken",
        "exit",
    ]


def test_a_log_of_other_code_does_no_harm() -> None:
    steps = walk("900: (bf) r6 = r0\n901: (95) exit\n")
    way = Way(ProgramCode(b""), steps, 6)
    assert (way.access, len(way.places())) == ("", 1)


@pytest.mark.parametrize(
    ("insn", "words"),
    [
        (Insn(0x79, 0, 1), "8-byte read through R1"),
        (Insn(0x73, 2, 1), "1-byte write through R2"),
        (Insn(0x62, 3), "4-byte write through R3"),
        (Insn(0xDB, 1, 2), "8-byte atomic operation through R1"),
        (EXIT, "return"),
        (MOV_R6_R0, ""),
    ],
)
def test_what_an_instruction_does(insn: Insn, words: str) -> None:
    assert access(insn) == words


@pytest.mark.parametrize(
    ("insn", "registers"),
    [
        (TEST_R6, {6}),
        (Insn(0x1D, 6, 1), {6, 1}),
        (Insn(0x05), set()),
        (CALL, set()),
        (EXIT, set()),
        (MOV_R6_R0, set()),
    ],
)
def test_what_a_branch_compares(insn: Insn, registers: set[int]) -> None:
    assert compared(insn) == registers
