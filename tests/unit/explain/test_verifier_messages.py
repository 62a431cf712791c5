from __future__ import annotations

import re

import pytest

from bpfctl.explain.verifier_messages import recognise, rules
from bpfctl.explain.verifier_rule import compiled

# Words of the kernels 5.10 to 7.3; where two say the same, the older first.
MESSAGES = """\
null-check-missing | R0 invalid mem access 'map_value_or_null'
null-check-missing | R1 invalid mem access 'trusted_ptr_or_null_'
null-check-missing | R1 type=map_value_or_null expected=fp, pkt, map_value
null-check-missing | R0 pointer arithmetic on map_value_or_null prohibited, null-check it first
null-check-missing | Possibly NULL pointer passed to trusted arg0
null-check-missing | Possibly NULL pointer passed to helper arg2
null-check-missing | arg#1 is expected to be non-NULL
scalar-dereference | R1 invalid mem access 'inv'
scalar-dereference | R1 invalid mem access 'scalar'
memory-type | R1 invalid mem access 'pkt_end'
context-modified | dereference of modified ctx ptr R1 off=4 disallowed
context-modified | variable ctx access var_off=(0x0; 0xc) disallowed
pointer-modified | dereference of modified map_ptr ptr R1 off=4 disallowed
pointer-modified | R1 must have zero offset when passed to release func
pointer-arithmetic | R1 pointer arithmetic on pkt_end prohibited
pointer-arithmetic | R0 bitwise operator &= on pointer prohibited
pointer-arithmetic | R1 32-bit pointer arithmetic prohibited
pointer-arithmetic | R1 partial copy of pointer
pointer-arithmetic | R0 pointer += pointer prohibited
pointer-out-of-range | value -2147483648 makes map_value pointer be out of bounds
pointer-comparison | R1 pointer comparison prohibited
pointer-leak | R1 leaks addr into map
pointer-leak | leaking pointer from stack off -8
different-pointers | same insn cannot be used with different pointers
capability | R1 stack pointer arithmetic goes out of range, prohibited for !root; off=8
register-uninitialized | R0 !read_ok
stack-uninitialized | invalid indirect read from stack off -16+8 size 16
stack-uninitialized | invalid read from stack off -16+8 size 16
stack-bounds | invalid write to stack R10 off=-520 size=8
stack-bounds | invalid stack type R1 off=-520 access_size=8
stack-bounds | invalid stack off=-520 size=8
stack-variable-offset | variable stack access var_off=(0x0; 0xff) off=-8 size=1
stack-variable-offset | invalid unbounded variable-offset write to stack R3
spill | attempt to corrupt spilled pointer on stack
frame-pointer | frame pointer is read only
index-negative | R0 min value is negative, either use unsigned index or do a if (index >=0) check.
index-negative | math between map_value pointer and register with unbounded min value is not allowed
index-unbounded | R0 unbounded memory access, make sure to bounds check any array access into a map
index-unbounded | R0 unbounded memory access, make sure to bounds check any such access
index-out-of-bounds | R0 max value is outside of the array range
index-out-of-bounds | R0 max value is outside of the allowed memory range
size-negative | R2 min value is negative, either use unsigned or 'var &= const'
size-unbounded | R2 unbounded memory access, use 'var &= const' or 'if (var < const)'
size-unbounded | R2 unbounded size, use 'var &= const' or 'if (var < const)'
size-zero | R2 invalid zero-sized read: u64=[0,16]
map-value-bounds | invalid access to map value pointer, value_size=8 off=16
map-value-bounds | invalid access to map value, value_size=8 off=8 size=8
memory-bounds | invalid access to memory, mem_size=8 off=8 size=8
memory-bounds | R1 invalid rdonly buffer access: off=8, size=4
struct-access | R0 invalid sock access off=244 size=4
packet-bounds | invalid access to packet, off=12 size=2, R1(id=0,off=12,r=0)
packet-bounds | invalid access to packet, off=14 size=1, R2(id=0,off=14,r=14)
packet-bounds | invalid access to packet, off=0 size=1, R1(id=1,off=0,r=0)
packet-bounds | R1 offset is outside of the packet
context-access | invalid bpf_context access off=100 size=4
context-access | func 'vfs_read' doesn't have 5-th argument
attach-target | attach_btf_id 67507 points to disabled hook bpf_lsm_file_alloc_security
sleepable-target | Only fentry/fexit/fmod_ret and lsm programs can be sleepable
memory-bounds | R6 invalid variable buffer offset: off=0, var_off=(0x0; 0xff)
kfunc-not-allowed | metadata kfuncs require device-bound program
argument-type | pointer in R2 isn't map pointer
context-access | func 'vfs_read' size 4 must be 8
kfunc-unavailable | pseudo btf_id 71189 in ldimm64 isn't KIND_VAR.
context-access | invalid access to flow keys off=100 size=4
map-access-flags | write into map forbidden, value_size=4 off=0 size=4
map-access-flags | read from map forbidden, value_size=4 off=0 size=4
read-only | R1 cannot write into rdonly_mem
read-only | cannot write into packet
read-only | only read is supported
misaligned | misaligned stack access off (0x0; 0x0)+0+-12 size 8
misaligned | misaligned packet access off 2+0+1+0 size 2
special-field | map '.data.A' is not a struct type or bpf_spin_lock is mangled
special-field | map 'values' is not a struct type or bpf_timer is mangled
special-field | map '.data.A' has no valid bpf_spin_lock
special-field | bpf_spin_lock cannot be accessed directly by load/store
helper-not-allowed | unknown func bpf_redirect#23
helper-not-allowed | program of this type cannot use helper bpf_redirect#23
helper-not-allowed | func bpf_get_func_ip#173 not supported for program type 6
helper-not-allowed | helper call is not allowed in probe
helper-unknown | invalid func unknown#9999
kfunc-not-allowed | calling kernel function bpf_dynptr_from_skb is not allowed
gpl-only | cannot call GPL-restricted function from non-GPL compatible program
gpl-only | struct ops programs must have a GPL compatible license
kfunc-unavailable | calling kernel function is not supported without CONFIG_DEBUG_INFO_BTF
kfunc-unavailable | BPF_CALL uses reserved fields
map-type-mismatch | cannot pass map_type 1 into func bpf_ringbuf_output#130
sleepable-needed | unknown func bpf_copy_from_user#148
sleepable-needed | sleepable helper bpf_copy_from_user#148 in non-sleepable prog
sleepable-needed | helper call might sleep in a non-sleepable prog
sleep-in-atomic | sleepable helper bpf_copy_from_user#148 in rcu_read_lock region
trusted-needed | R1 must be referenced or trusted
reference-missing | R1 must be referenced when passed to release function
reference-missing | release kfunc bpf_task_release expects referenced PTR_TO_BTF_ID passed to R1
dynptr | cannot overwrite referenced dynptr
dynptr | Unsupported reg type fp for bpf_dynptr_from_mem data
dynptr | Expected an initialized dynptr as arg #2
iterator | arg#0 expected pointer to an iterator on stack
iterator | expected an initialized iter_num as arg #0
iterator | expected uninitialized iter_num as R1
constant-needed | R2 is not a known constant'
string | R3 does not point to a readonly map'
callback | callback function not static
global-function | Caller passes invalid args into func#1 ('sum')
global-function | Arg#0 type PTR in sum() is not supported yet.
global-function | arg#0 reference type('UNKNOWN ') size cannot be determined: -22
global-function | Global function sum() doesn't return scalar. Only those are supported.
global-function | sum() is not a global function
global-function | R1 is not a scalar
argument-type | arg#0 expected pointer to ctx, but got PTR
argument-type | R1 type=fp expected=map_ptr
argument-type | R1 is of type task_struct but file is expected
argument-type | helper access to the packet is not allowed
map-use | tail_call abusing map_ptr
tail-call | tail_call is only allowed in a program, not in a callback
struct-access | access beyond the end of member map_type (mend:4) in struct (anon) with off 0 size 8
read-only | no write support to tcp_sock at off 1780
too-complex | BPF program is too large. Processed 1000001 insn
jumps-too-complex | The sequence of 8193 jumps is too complex.
infinite-loop | infinite loop detected at insn 3
back-edge | back-edge from insn 5 to 2
unreachable-code | unreachable insn 3
falls-off-end | last insn is not an exit or jmp
stack-too-large | combined stack size of 2 calls is 608. Too large
stack-too-large | stack size of subprog 1 is 608. Too large
stack-too-large | tail_calls are not allowed when call stack of previous frames is 304 bytes
call-depth | recursive call from countdown() to countdown()
call-depth | the call stack of 9 frames is too deep !
return-value | At program exit the register R0 has value (0x2; 0x0) should have been in (0x0; 0x1)
return-value | At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
return-value | cannot return stack pointer to the caller
reference-leak | Unreleased reference id=2 alloc_insn=4
reference-leak | tail_call would lead to reference leak
lock-held | bpf_spin_unlock is missing
lock-misuse | bpf_spin_unlock without taking a lock
field-program-type | tracing progs cannot use bpf_spin_lock yet
field-program-type | tracing progs cannot use bpf_timer yet
special-field | timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0
special-field | off 16 doesn't point to 'struct bpf_timer' that is at 0
kptr | store to referenced kptr disallowed
struct-access | access beyond struct task_struct at off 32000 size 8
struct-access | R1 is ptr_task_struct invalid negative access: off=-8
user-memory | R1 is ptr_task_struct access user memory: off=8
sleepable-target | vfs_read is not sleepable
sleepable-target | Syscall programs can only be sleepable
attach-target | Cannot replace kernel functions
sleepable-map | Sleepable programs can only use array, hash, and ringbuf maps
attach-target | vfs_read() is not modifiable
capability | loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN
jit-needed | callbacks are not allowed in non-JITed programs
atomic | BPF_XADD stores into R1 ctx is not allowed
atomic | BPF_ATOMIC stores into R1 ctx is not allowed
legacy-packet-load | BPF_LD_[ABS|IND] instructions not allowed for this program type
division | invalid shift 64
division | div by zero
instruction | unknown opcode ff
function-info | number of funcs in func_info doesn't match number of subprogs
function-info | missing btf func_info
map-use | bpf_struct_ops map cannot be used in prog
map-use | The total number of maps per program has reached the limit of 64
internal | verifier bug. No program starts at insn 7
"""
CASES = [
    (f"verifier-{code}", words)
    for code, words in (line.split(" | ", 1) for line in MESSAGES.splitlines())
]


@pytest.mark.parametrize(("code", "line"), CASES, ids=[line[:50] for _, line in CASES])
def test_a_message_has_its_code(code: str, line: str) -> None:
    found = recognise(line)
    assert found is not None
    assert found.code == code
    for words in (found.headline, found.change("value")):
        assert words
        assert not re.search(r"\{\w+\}|\?", words)


def test_every_rule_is_found_by_a_message() -> None:
    unused = [
        rule.pattern
        for rule in rules()
        if not any((found := recognise(line)) and found.rule is rule for _, line in CASES)
    ]
    assert unused == []


def test_codes_are_stable_words() -> None:
    assert all(re.fullmatch(r"verifier(-[a-z]+)+", rule.code) for rule in rules())
    assert all(compiled(rule.pattern).match("") is None for rule in rules())


@pytest.mark.parametrize(
    ("lines", "code", "headline"),
    [
        pytest.param(
            ["R1 type=scalar expected=fp", "Caller passes invalid args into func#1 ('sum')"],
            "verifier-global-function",
            "the arguments do not fit the global function that is called",
            id="the last says more",
        ),
        pytest.param(
            [
                "invalid access to packet, off=12 size=2, R1(id=0,off=12,r=0)",
                "R1 offset is outside of the packet",
            ],
            "verifier-packet-bounds",
            "2 bytes at offset 12 of the packet are read, and nothing was checked against its end",
            id="the first has numbers",
        ),
        pytest.param(
            ["Unreleased reference id=2 alloc_insn=4", "tail_call would lead to reference leak"],
            "verifier-reference-leak",
            "a path leaves without giving back what was acquired at insn 4",
            id="the first says more",
        ),
        pytest.param(
            ["nobody knows this", "R0 !read_ok"],
            "verifier-register-uninitialized",
            "R0 has no value here",
            id="one is unknown",
        ),
    ],
)
def test_of_several_lines_the_most_telling_counts(
    lines: list[str], code: str, headline: str
) -> None:
    found = recognise(lines)
    assert found is not None
    assert (found.code, found.headline) == (code, headline)


@pytest.mark.parametrize(
    ("line", "register"),
    [
        ("R7 !read_ok", 7),
        ("Possibly NULL pointer passed to trusted arg0", 1),
        ("Possibly NULL pointer passed to helper arg2", 2),
        ("invalid unbounded variable-offset write to stack R3", 3),
        ("cannot write into packet", None),
    ],
)
def test_the_register_concerned(line: str, register: int | None) -> None:
    found = recognise(line)
    assert found is not None
    assert found.register == register


def test_an_unknown_message_is_none() -> None:
    assert recognise("the moon is in the wrong phase") is None
    assert recognise([]) is None
