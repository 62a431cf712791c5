"""Rules that the way to a failure tells, and no message of the verifier alone."""

from __future__ import annotations

from bpfctl.explain.verifier_rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

IS_NULL: Final = Rule(
    "verifier-null-check-missing",
    "",
    "R{reg} is NULL here",
    "test the pointer before use:  if (!{var}) return 0;  and pass no NULL on to where it is used",
)
READ_TWICE: Final = Rule(
    "verifier-null-check-missing",
    "",
    "R{reg} may be NULL here: what was tested is another read of the same field, at insn {twin}",
    "read the field once, into a variable; test that and use that:  p = ctx->field;",
)
RELEASED: Final = Rule(
    "verifier-reference-missing",
    "",
    "R{reg} was given back by {name}(){where}: nothing may use it any more",
    "use it before the call, and release it once",
)
MOVED: Final = Rule(
    "verifier-packet-invalidated",
    "",
    "R{reg} pointed into the packet, which {name}(){where} may have moved",
    "read data and data_end from the context again behind that call, and check the bounds again",
)
RECURSION: Final = Rule(
    "verifier-call-depth",
    "",
    "{name}() calls itself: the verifier follows calls 8 deep, and no recursion",
    "write it as a loop with a constant limit",
)
OUT_OF_BOUNDS: Final = Rule(
    "verifier-index-out-of-bounds",
    "",
    "the index lets {size} bytes be accessed at offset {off}; the object has {whole} bytes",
    "limit it to what the object holds (size of access included):  if (i >= N) return 0;",
)
BEYOND_BUFFER: Final = Rule(
    "verifier-stack-bounds",
    "",
    "{size} bytes at stack offset {off}, where only {left} are left: the buffer is too small",
    "pass the size of the buffer:  sizeof(buffer)",
)
CURRENT_TASK: Final = Rule(
    "verifier-scalar-dereference",
    "",
    "R{reg} is an address as a number: what bpf_get_current_task() gives is no pointer",
    "use bpf_get_current_task_btf() (Linux 5.11), or BPF_CORE_READ(task, field)",
)
REGION_LEFT: Final = Rule(
    "verifier-lock-held",
    "",
    "the program returns on this path while what {name}() began{where} goes on",
    "leave the region on every path: bpf_spin_unlock, bpf_rcu_read_unlock, bpf_preempt_enable",
)
REGION_CALL: Final = Rule(
    "verifier-lock-held",
    "",
    "{callee}() is called while what {name}() began{where} goes on",
    "call it before or behind that region; static functions of the program may be called inside",
)
CONTEXT: Final = Rule(
    "verifier-context-access",
    "",
    "programs of this type may not {verb} {size} bytes at offset {off} of the context",
    "{verb} fields of the context type that this program type may {verb}, in their own size",
)
NO_RESULT: Final = Rule(
    "verifier-register-uninitialized",
    "",
    "the program ends without a return value",
    "return a number on every path: no program is a void function",
)
NO_ARGUMENT: Final = Rule(
    "verifier-register-uninitialized",
    "",
    "argument {reg} of the call has no value",
    "pass all arguments; each call leaves nothing in R1 to R5 (hand-written assembly)",
)
FORMAT: Final = Rule(
    "verifier-argument-type",
    "",
    "argument {reg}, the format or string, must be a constant",
    'use a string literal, or  static const char format[] = "...";',
)
TOO_MANY_MAPS: Final = Rule(
    "verifier-map-use",
    "",
    "the program uses {count} maps, and the kernel takes 64",
    "put several values into one map, or split the program (tail calls)",
)
RETURNED: Final = Rule(
    "verifier-return-value",
    "",
    "the program may return {returned} here; allowed: {allowed}",
    "return only what this attach type allows, on every path; limit computed values first",
)
UNWRITTEN: Final = Rule(
    "verifier-stack-uninitialized",
    "",
    "{size} bytes at stack offset {off} are read that were never written",
    "set every byte before it is read:  struct key k = {{}};",
)
LEAKED: Final = Rule(
    "verifier-reference-leak",
    "",
    "what {name}() gave{where} is not released on this path",
    "{release}, on every path that leaves, also on those of errors",
)
# How what a function gave is given back, by a part of its name; the first that fits.
RELEASES: Final = (
    ("ringbuf_reserve_dynptr", "call bpf_ringbuf_submit_dynptr() or _discard_dynptr()"),
    ("ringbuf_reserve", "call bpf_ringbuf_submit(p, 0) or bpf_ringbuf_discard(p, 0)"),
    ("sk_lookup", "call bpf_sk_release(p) where it is not NULL"),
    ("skc_lookup", "call bpf_sk_release(p) where it is not NULL"),
    ("bpf_task_", "call bpf_task_release(p)"),
    ("bpf_cgroup_", "call bpf_cgroup_release(p)"),
    ("bpf_cpumask_", "call bpf_cpumask_release(p)"),
    ("bpf_obj_new", "call bpf_obj_drop(p), or put it into a map"),
    ("kptr_xchg", "call the release function of its type, or put it into a map"),
    ("bpf_iter_", "call bpf_iter_..._destroy()"),
    ("irq_save", "call bpf_local_irq_restore()"),
)
