from __future__ import annotations

import pytest

from bpfctl.asm.insn import BPF_CALL_IMM, Insn, encode, ld_imm64
from bpfctl.explain.rejection import analyse
from bpfctl.loader.verifier_log import objections
from bpfctl.rejected import ProgramCode, SourceLine

LINES = tuple((index, SourceLine("x.bpf.c", 10 + index, 1, f"line {index};")) for index in range(6))
KEEP = Insn(0xBF, 6, 0)
READ = Insn(0x79, 0, 6)
CALL = Insn(BPF_CALL_IMM)


def program(*insns: Insn) -> ProgramCode:
    return ProgramCode(encode(list(insns)), lines=LINES, functions=((0, "main"),))


@pytest.mark.parametrize(
    ("log", "code", "found", "headline"),
    [
        pytest.param(
            "0: (85) call bpf_ringbuf_reserve#131\n1: (bf) r6 = r0\n"
            "2: (bf) r1 = r6\n3: (85) call bpf_ringbuf_submit#132\n"
            "4: (79) r0 = *(u64 *)(r6 +0)\nR6 invalid mem access 'inv'\n",
            program(CALL, KEEP, Insn(0xBF, 1, 6), CALL, READ),
            "verifier-reference-missing",
            "R6 was given back by bpf_ringbuf_submit() at x.bpf.c:13: nothing may use it any more",
            id="released",
        ),
        pytest.param(
            "0: (61) r6 = *(u32 *)(r1 +0)\n1: (85) call bpf_xdp_adjust_head#44\n"
            "2: (71) r0 = *(u8 *)(r6 +0)\nR6 invalid mem access 'scalar'\n",
            program(Insn(0x61, 6, 1), CALL, Insn(0x71, 0, 6)),
            "verifier-packet-invalidated",
            "R6 pointed into the packet, which bpf_xdp_adjust_head() at x.bpf.c:11 may have moved",
            id="moved",
        ),
        pytest.param(
            "0: (b7) r6 = 0\n1: (79) r0 = *(u64 *)(r6 +0)\nR6 invalid mem access 'inv'\n",
            program(Insn(0xB7, 6), READ),
            "verifier-null-check-missing",
            "R6 is NULL here",
            id="NULL by the code",
        ),
        pytest.param(
            "0: (79) r2 = *(u64 *)(r1 +8)\n1: (15) if r2 == 0x0 goto pc+2\n"
            "2: (79) r2 = *(u64 *)(r1 +8)\n3: (79) r0 = *(u64 *)(r2 +0)\n"
            "R2 invalid mem access 'ptr_or_null_'\n",
            program(
                Insn(0x79, 2, 1, 8), Insn(0x15, 2, 0, 2), Insn(0x79, 2, 1, 8), Insn(0x79, 0, 2)
            ),
            "verifier-null-check-missing",
            "R2 may be NULL here: what was tested is another read of the same field, at insn 0",
            id="read twice",
        ),
        pytest.param(
            "0: (79) r2 = *(u64 *)(r1 +16)\n1: (15) if r2 == 0x0 goto pc+2\n"
            "2: (79) r2 = *(u64 *)(r1 +8)\n3: (79) r0 = *(u64 *)(r2 +0)\n"
            "R2 invalid mem access 'ptr_or_null_'\n",
            program(
                Insn(0x79, 2, 1, 16), Insn(0x15, 2, 0, 2), Insn(0x79, 2, 1, 8), Insn(0x79, 0, 2)
            ),
            "verifier-null-check-missing",
            "R2 may be NULL here",
            id="another field",
        ),
        pytest.param(
            "0: (79) r3 = *(u64 *)(r1 +8)\n1: (79) r2 = *(u64 *)(r1 +8)\n"
            "2: (79) r0 = *(u64 *)(r2 +0)\nR2 invalid mem access 'ptr_or_null_'\n",
            program(Insn(0x79, 3, 1, 8), Insn(0x79, 2, 1, 8), Insn(0x79, 0, 2)),
            "verifier-null-check-missing",
            "R2 may be NULL here",
            id="read twice, and tested never",
        ),
        pytest.param(
            "0: (85) call f#7                 ; R0=0\n1: (79) r0 = *(u64 *)(r0 +0)\n"
            "R0 invalid mem access 'scalar'\n",
            program(CALL, Insn(0x79, 0, 0)),
            "verifier-null-check-missing",
            "R0 is NULL here",
            id="NULL by the state",
        ),
        pytest.param(
            "0: (85) call f#7\n1: (79) r0 = *(u64 *)(r0 +0)\nR0 invalid mem access 'scalar'\n",
            program(CALL, Insn(0x79, 0, 0)),
            "verifier-scalar-dereference",
            "R0 is a number here, not a pointer the verifier knows",
            id="a number it is",
        ),
        pytest.param(
            "0: (18) r1 = 0x0\n2: (79) r0 = *(u64 *)(r1 +8)\n"
            "invalid access to map value, value_size=8 off=8 size=8\n"
            "R1 min value is outside of the array range\n",
            program(*ld_imm64(1, 0), Insn(0x79, 0, 1, 8)),
            "verifier-map-value-bounds",
            "8 bytes at offset 8 do not fit into the map value of 8 bytes",
            id="a constant is no index",
        ),
        pytest.param(
            "0: (18) r1 = 0x0\n2: (0f) r1 += r2\n3: (79) r0 = *(u64 *)(r1 +8)\n"
            "invalid access to map value, value_size=8 off=8 size=8\n"
            "R1 max value is outside of the array range\n",
            program(*ld_imm64(1, 0), Insn(0x0F, 1, 2), Insn(0x79, 0, 1, 8)),
            "verifier-index-out-of-bounds",
            "the index lets 8 bytes be accessed at offset 8; the object has 8 bytes",
            id="an index",
        ),
        pytest.param(
            "0: (95) exit\nR0 !read_ok\n",
            program(Insn(0x95)),
            "verifier-register-uninitialized",
            "the program ends without a return value",
            id="no return value",
        ),
        pytest.param(
            "0: (85) call bpf_map_lookup_elem#1\nR2 !read_ok\n",
            program(CALL),
            "verifier-register-uninitialized",
            "argument 2 of the call has no value",
            id="no argument",
        ),
        pytest.param(
            "0: (bf) r6 = r0\nR0 !read_ok\n",
            program(KEEP),
            "verifier-register-uninitialized",
            "R0 has no value here",
            id="no value",
        ),
        pytest.param(
            "0: (63) *(u32 *)(r1 +0) = r2\ninvalid bpf_context access off=0 size=4\n",
            program(Insn(0x63, 1, 2)),
            "verifier-context-access",
            "programs of this type may not write 4 bytes at offset 0 of the context",
            id="context written",
        ),
        pytest.param(
            "0: (85) call bpf_spin_lock#93\n1: (85) call bpf_ktime_get_ns#5\n"
            "function calls are not allowed while holding a lock\n",
            program(CALL, CALL),
            "verifier-lock-held",
            "bpf_ktime_get_ns() is called while what bpf_spin_lock() began at x.bpf.c:10 goes on",
            id="called while locked",
        ),
        pytest.param(
            "0: (85) call bpf_snprintf#165\nR3 type=fp expected=map_value\n",
            program(CALL),
            "verifier-argument-type",
            "argument 3, the format or string, must be a constant",
            id="format",
        ),
        pytest.param(
            "0: (85) call bpf_sk_lookup_udp#85\n1: (95) exit\n"
            "Unreleased reference id=2 alloc_insn=0\n",
            program(CALL, Insn(0x95)),
            "verifier-reference-leak",
            "what bpf_sk_lookup_udp() gave at x.bpf.c:10 is not released on this path",
            id="leaked",
        ),
        pytest.param(
            "0: (79) r0 = *(u64 *)(r10 -8)\ninvalid read from stack R10 off=-8 size=8\n",
            program(Insn(0x79, 0, 10, -8)),
            "verifier-stack-uninitialized",
            "8 bytes at stack offset -8 are read that were never written",
            id="inside of the stack",
        ),
        pytest.param(
            "back-edge from insn 0 to 0\n",
            program(Insn(BPF_CALL_IMM, src=1, imm=-1)),
            "verifier-call-depth",
            "main() calls itself: the verifier follows calls 8 deep, and no recursion",
            id="recursion of old",
        ),
        pytest.param(
            "back-edge from insn 0 to 0\n",
            program(Insn(0x05, off=-1)),
            "verifier-back-edge",
            "there is a loop, and the kernel takes none here",
            id="a loop",
        ),
        pytest.param(
            "0: (85) call pc+-1\n0: (85) call pc+-1\n0: (85) call pc+-1\n"
            "the call stack of 9 frames is too deep !\n",
            program(Insn(BPF_CALL_IMM, src=1, imm=-1)),
            "verifier-call-depth",
            "main() calls itself: the verifier follows calls 8 deep, and no recursion",
            id="recursion",
        ),
    ],
)
def test_the_way_says_more_than_the_words(
    log: str, code: ProgramCode, found: str, headline: str
) -> None:
    match, _ = analyse(log, code, objections(log))
    assert match is not None
    assert (match.code, match.headline) == (found, headline)


def test_an_index_is_followed_to_where_it_comes_from() -> None:
    log = (
        "0: (61) r2 = *(u32 *)(r1 +4)\n1: (bf) r3 = r10\n2: (0f) r3 += r2\n"
        "3: (73) *(u8 *)(r3 +0) = r0\n"
        "invalid unbounded variable-offset write to stack R3\n"
    )
    code = program(Insn(0x61, 2, 1, 4), Insn(0xBF, 3, 10), Insn(0x0F, 3, 2), Insn(0x73, 3, 0))
    _, rejection = analyse(log, code, objections(log))
    assert rejection.origin is not None
    assert (rejection.register, rejection.origin.insn) == (2, 0)
    assert rejection.origin.text == "it is read from the context, offset 4"
    assert [place.insn for place in rejection.path] == [0, 2, 3]


def test_a_lock_that_is_held_was_taken_somewhere() -> None:
    log = "0: (85) call bpf_spin_lock#93\n1: (95) exit\nbpf_spin_unlock is missing\n"
    match, rejection = analyse(log, program(CALL, Insn(0x95)), objections(log))
    assert match is not None
    assert (match.code, match.headline) == (
        "verifier-lock-held",
        "the program returns on this path while what bpf_spin_lock() began at x.bpf.c:10 goes on",
    )
    assert rejection.origin is not None
    assert (rejection.origin.insn, rejection.origin.text) == (
        0,
        "bpf_spin_lock() begins the region",
    )


def test_what_another_number_is_no_release_tells() -> None:
    """A release between origin and use is only to blame when it released that very value."""
    log = (
        "0: (85) call bpf_get_prandom_u32#7\n1: (bf) r6 = r0\n2: (b7) r1 = 0\n"
        "3: (85) call bpf_ringbuf_submit#132\n4: (79) r0 = *(u64 *)(r6 +0)\n"
        "R6 invalid mem access 'inv'\n"
    )
    code = program(CALL, KEEP, Insn(0xB7, 1), CALL, READ)
    match, _ = analyse(log, code, objections(log))
    assert match is not None
    assert match.code == "verifier-scalar-dereference"


@pytest.mark.parametrize(
    ("load", "code", "state"),
    [
        pytest.param("*(u32 *)(r7 +0)", Insn(0x61, 6, 7), "", id="not out of the context"),
        pytest.param("*(u32 *)(r1 +16)", Insn(0x61, 6, 1, 16), "", id="another field"),
        pytest.param("*(u32 *)(r1 +0)", Insn(0x61, 6, 1), "; R6=scalar()", id="a number before"),
    ],
)
def test_what_was_no_packet_pointer_is_a_number(load: str, code: Insn, state: str) -> None:
    log = (
        f"0: (61) r6 = {load}   {state}\n1: (85) call bpf_xdp_adjust_head#44\n"
        "2: (71) r0 = *(u8 *)(r6 +0)\nR6 invalid mem access 'scalar'\n"
    )
    match, _ = analyse(log, program(code, CALL, Insn(0x71, 0, 6)), objections(log))
    assert match is not None
    assert match.code == "verifier-scalar-dereference"


def test_of_several_regions_the_one_in_the_words_is_meant() -> None:
    log = (
        "0: (85) call bpf_rcu_read_lock#9\n1: (85) call bpf_spin_lock#93\n2: (95) exit\n"
        "bpf_rcu_read_unlock is missing\n"
    )
    _, rejection = analyse(log, program(CALL, CALL, Insn(0x95)), objections(log))
    assert rejection.origin is not None
    assert rejection.origin.text == "bpf_rcu_read_lock() begins the region"
