"""Instructions that older kernels do not know, named where the verifier does not."""

from __future__ import annotations

import pytest

from bpfctl.asm.insn import BPF_PSEUDO_FUNC, Insn, encode, ld_imm64
from bpfctl.explain.rejection import analyse
from bpfctl.explain.verifier_newer import kind_of
from bpfctl.rejected import ProgramCode, SourceLine

EXIT = Insn(0x95)
ADD, FETCH, XCHG = Insn(0xDB, 1, 2), Insn(0xDB, 1, 2, imm=1), Insn(0xC3, 1, 2, imm=0xE1)
CALLBACK = ld_imm64(2, 24, BPF_PSEUDO_FUNC)


@pytest.mark.parametrize(
    ("insn", "since"),
    [
        pytest.param(ADD, None, id="atomic add"),
        pytest.param(FETCH, "5.12", id="atomic fetch and add"),
        pytest.param(XCHG, "5.12", id="atomic exchange"),
        pytest.param(Insn(0xDB, 1, 2, imm=0x100), "6.15", id="load acquire"),
        pytest.param(Insn(0x91, 1, 2), "6.6", id="sign-extending load"),
        pytest.param(Insn(0x79, 1, 2), None, id="load"),
        pytest.param(Insn(0xBF, 1, 2, off=8), "6.6", id="sign-extending move"),
        pytest.param(Insn(0xBF, 1, 2), None, id="move"),
        pytest.param(Insn(0xBF, 1, 2, off=1, imm=1), "6.9", id="address space cast"),
        pytest.param(Insn(0x3F, 1, 2, off=1), "6.6", id="signed division"),
        pytest.param(Insn(0x94, 1, off=1, imm=3), "6.6", id="signed remainder"),
        pytest.param(Insn(0x3F, 1, 2), None, id="division"),
        pytest.param(Insn(0xD7, 1, imm=16), "6.6", id="byte swap"),
        pytest.param(Insn(0xDC, 1, imm=16), None, id="to big-endian"),
        pytest.param(Insn(0x06, imm=1), "6.6", id="far jump"),
        pytest.param(Insn(0xE5, off=1), "6.9", id="may_goto"),
        pytest.param(CALLBACK[0], "5.13", id="callback"),
        pytest.param(ld_imm64(1, 0, 1)[0], None, id="map"),
        pytest.param(EXIT, None, id="exit"),
    ],
)
def test_when_linux_learned_it(insn: Insn, since: str | None) -> None:
    kind = kind_of(insn)
    assert (kind.since if kind else None) == since


ATOMIC_WORDS = (
    "this kernel does not know an atomic operation other than an addition whose result is not "
    "used (since Linux 5.12)"
)
STX, LD = "BPF_STX uses reserved fields", "unrecognized bpf_ld_imm64 insn"
CALLBACK_WORDS = (
    "this kernel does not know the address of a function of the program, which a callback needs "
    "(since Linux 5.13)"
)
UNKNOWN = "the kernel does not know this instruction"


@pytest.mark.parametrize(
    ("line", "insns", "headline", "place"),
    [
        pytest.param(
            "BPF_STX uses reserved fields",
            [*CALLBACK, ADD, FETCH, XCHG],
            ATOMIC_WORDS,
            3,
            id="5.10",
        ),
        pytest.param(STX, [ADD, *CALLBACK], UNKNOWN, None, id="no atomic"),
        pytest.param(LD, [FETCH, *CALLBACK], CALLBACK_WORDS, 1, id="ld"),
        pytest.param(
            "number of funcs in func_info doesn't match number of subprogs",
            [FETCH, *CALLBACK],
            CALLBACK_WORDS,
            1,
            id="functions",
        ),
        pytest.param(
            "number of funcs in func_info doesn't match number of subprogs",
            [FETCH],
            "the kernel finds other functions in the code than the type information names",
            None,
            id="functions without callback",
        ),
        pytest.param(
            "unknown opcode d7",
            [FETCH, Insn(0xD7, 1, imm=16)],
            "this kernel does not know an unconditional byte swap (since Linux 6.6)",
            1,
            id="opcode",
        ),
        pytest.param(
            "BPF_LDX uses reserved fields",
            [FETCH, Insn(0x79, 1, 2), Insn(0x91, 1, 2)],
            "this kernel does not know a sign-extending load (since Linux 6.6)",
            2,
            id="load",
        ),
        pytest.param("unknown opcode ff", [FETCH], UNKNOWN, None, id="opcode that is not there"),
        pytest.param(
            "1: (7f) r1 = (s8)r2\nBPF_MOV uses reserved fields",
            [FETCH, Insn(0xBF, 1, 2, off=8)],
            "this kernel does not know a sign-extending move (since Linux 6.6)",
            1,
            id="at its place",
        ),
        pytest.param(
            "0: (e5) may_goto pc+1\ninvalid may_goto imm 5",
            [Insn(0xE5, off=1, imm=5)],
            UNKNOWN,
            0,
            id="known and malformed",
        ),
    ],
)
def test_the_instruction_is_named(
    line: str, insns: list[Insn], headline: str, place: int | None
) -> None:
    source = SourceLine("x.bpf.c", 7, 1, "x();")
    code = ProgramCode(encode([*insns, EXIT]), lines=((0, source),))
    match, rejection = analyse(line, code, line.split("\n")[-1:])
    assert match is not None
    assert (match.headline, rejection.insn) == (headline, place)
    assert rejection.source == (source if place is not None else None)


def test_an_argument_that_is_not_there_is_no_matter_of_the_program_type() -> None:
    log = (
        "0: (79) r1 = *(u64 *)(r1 +8)\nfunc 'block_rq_insert' doesn't have 2-th argument\n"
        "invalid bpf_context access off=8 size=8\n"
    )
    code = ProgramCode(encode([Insn(0x79, 1, 1, off=8), EXIT]))
    match, _ = analyse(log, code, log.splitlines()[1:])
    assert match is not None
    assert match.headline == "block_rq_insert has no argument 2 on this kernel"
