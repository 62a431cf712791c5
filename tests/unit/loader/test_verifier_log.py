from __future__ import annotations

import pytest

from bpfctl.loader.verifier_log import decisive_line, failing_insn

NULL_CHECK = """func#0 @0
0: R1=ctx() R10=fp0
; u32 k = 0; @ count.bpf.c:4
0: (b7) r1 = 0                        ; R1_w=0
5: (85) call bpf_map_lookup_elem#1    ; R0_w=map_value_or_null(id=1,map=m,ks=4,vs=8)
; return *v; @ count.bpf.c:5
6: (79) r0 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
LEAK = """7: (95) exit
Unreleased reference id=2 alloc_insn=3
BPF_EXIT instruction in main prog would lead to reference leak
processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
STATES = """12: (05) goto pc-3

from 12 to 10: R0=1 R10=fp0
10: R0=1 R10=fp0
10: (07) r0 += 1
mark_precise: frame0: last_idx 10 first_idx 9 subseq_idx -1
R0=2 R1=ctx() R10=fp0
infinite loop detected at insn 10
cur state: R0=2 R10=fp0
old state: R0=1 R10=fp0
processed 90 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
UNSIZED = "arg#0 reference type('UNKNOWN ') size cannot be determined: -22\n"


@pytest.mark.parametrize(
    ("log", "insn", "words"),
    [
        pytest.param(NULL_CHECK, 6, "R0 invalid mem access 'map_value_or_null'", id="null check"),
        pytest.param(LEAK, 7, "Unreleased reference id=2 alloc_insn=3", id="first of two reasons"),
        pytest.param(STATES, 10, "infinite loop detected at insn 10", id="states around it"),
        pytest.param("unreachable insn 4\n", 4, "unreachable insn 4", id="before the walk"),
        pytest.param(
            "FENTRY/FEXIT program can only be attached to another program annotated with BTF\n"
            "processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0\n",
            None,
            "FENTRY/FEXIT program can only be attached to another program annotated with BTF",
            id="no instruction",
        ),
        pytest.param(
            f"Validating all() func#1...\n{UNSIZED}processed 0 insns (limit 1000000)\n",
            None,
            UNSIZED.strip(),
            id="an argument of a global function",
        ),
        pytest.param(f"{UNSIZED}processed 0 insns\n", None, "", id="an argument of the program"),
        pytest.param("", None, "", id="nothing"),
        pytest.param("processed 0 insns (limit 1000000)\n", None, "", id="only statistics"),
    ],
)
def test_what_a_log_says(log: str, insn: int | None, words: str) -> None:
    assert (failing_insn(log), decisive_line(log)) == (insn, words)
