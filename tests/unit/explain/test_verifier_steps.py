from __future__ import annotations

import pytest

from bpfctl.explain.verifier_state import parse_state
from bpfctl.explain.verifier_steps import walk

BRANCHES = """0: R1=ctx() R10=fp0
0: (b7) r2 = 1                        ; R2_w=1
1: (15) if r1 == 0x0 goto pc+2        ; R1=ctx()
2: (b7) r3 = 2                        ; R3_w=2
3: (05) goto pc+1
5: (95) exit

from 1 to 4: R1=0 R2_w=1 R10=fp0
4: (b7) r0 = 0                        ; R0_w=0
5: (95) exit
R2 !read_ok
"""
OLD = """0: R1=ctx(id=0,off=0,imm=0) R10=fp0
; int main(void)
0: (b7) r2 = 1
1: R1=ctx(id=0,off=0,imm=0) R2_w=inv1 R10=fp0
1: (79) r0 = *(u64 *)(r2 +0)
R2 invalid mem access 'inv'
"""
CALL = """0: (b7) r6 = 7                        ; R6_w=7
1: (85) call pc+1
caller:
 R6_w=7 R10=fp0
callee:
 frame1: R1=ctx() R10=fp0
3: (b7) r0 = 0                        ; frame1: R0_w=0
4: (95) exit
returning from callee:
 frame1: R0_w=0 R10=fp0
to caller at 2:
 R0_w=0 R6_w=7 R10=fp0

from 4 to 2: R0_w=0 R6_w=7 R10=fp0
2: (95) exit
"""


def test_a_branch_taken_up_again_drops_what_came_after_it() -> None:
    steps = walk(BRANCHES)
    assert [step.insn for step in steps] == [0, 1, 4, 5]
    assert steps[-1].before == {"R1": "0", "R2": "1", "R10": "fp0", "R0": "0"}


def test_old_kernels_print_states_on_lines_of_their_own() -> None:
    steps = walk(OLD)
    assert [(step.insn, step.text) for step in steps] == [
        (0, "r2 = 1"),
        (1, "r0 = *(u64 *)(r2 +0)"),
    ]
    assert steps[1].before == {"R1": "ctx(id=0,off=0,imm=0)", "R2": "inv1", "R10": "fp0"}


def test_what_the_log_does_not_tell_is_not_known_any_more() -> None:
    log = (
        "0: R1=ctx(id=0,off=0,imm=0) R2=inv1 R10=fp0 fp-8=inv2\n0: (07) r2 += 1\n"
        "1: (7b) *(u64 *)(r10 -16) = r1\n2: (15) if r2 == 0x0 goto pc+1\n3: (95) exit\n"
    )
    assert [sorted(step.before) for step in walk(log)] == [
        ["R1", "R10", "R2", "fp-8"],
        ["R1", "R10", "fp-8"],
        ["R1", "R10"],
        ["R1", "R10"],
    ]


def test_calls_are_followed() -> None:
    steps = walk(CALL)
    assert [(step.insn, step.frame) for step in steps] == [(0, 0), (1, 0), (3, 1), (4, 1), (2, 0)]
    assert steps[2].before == {"R1": "ctx()", "R10": "fp0"}
    assert steps[4].before == {"R0": "0", "R6": "7", "R10": "fp0"}


def test_a_comment_may_be_empty_and_a_state_may_follow_on_the_line() -> None:
    log = (
        "0: (85) call bpf_ringbuf_submit#132   ;\n"
        "1: (15) if r1 == 0x0 goto pc+1 3: R0=7 R10=fp0\n"
        "3: (95) exit\n"
    )
    steps = walk(log)
    assert [(step.insn, step.text) for step in steps] == [
        (0, "call bpf_ringbuf_submit#132"),
        (1, "if r1 == 0x0 goto pc+1"),
        (3, "exit"),
    ]
    assert steps[2].before == {"R0": "7", "R10": "fp0"}


def test_a_branch_that_was_pruned_is_no_way() -> None:
    log = "0: (15) if r1 == 0x0 goto pc+1\n1: (95) exit\nfrom 0 to 2: safe\nx\n"
    assert [step.insn for step in walk(log)] == [0, 1]


def test_a_log_that_begins_behind_the_branch_begins_again_there() -> None:
    log = "7: (b7) r0 = 0\n8: (95) exit\n\nfrom 3 to 9: R0=1\n9: (95) exit\nR0 !read_ok\n"
    assert [(step.insn, step.before) for step in walk(log)] == [(9, {"R0": "1"})]


@pytest.mark.parametrize("log", ["", "unreachable insn 3\n", "processed 0 insns\n"])
def test_a_log_without_instructions_has_no_way(log: str) -> None:
    assert walk(log) == ()


@pytest.mark.parametrize(
    ("text", "state"),
    [
        pytest.param(
            " R0_w=inv(id=0,umax_value=255,var_off=(0x0; 0xff)) R10=fp0 fp-8=0000mmmm",
            {
                "R0": "inv(id=0,umax_value=255,var_off=(0x0; 0xff))",
                "R10": "fp0",
                "fp-8": "0000mmmm",
            },
            id="5.10",
        ),
        pytest.param(
            "frame1: R0_w=rcu_ptr_or_null_task_struct(id=2) R1=scalar() refs=2",
            {"R0": "rcu_ptr_or_null_task_struct(id=2)", "R1": "scalar()"},
            id="references at the end",
        ),
        pytest.param("", {}, id="nothing"),
        pytest.param("nonsense", {}, id="no state"),
    ],
)
def test_states(text: str, state: dict[str, str]) -> None:
    assert parse_state(text) == state
