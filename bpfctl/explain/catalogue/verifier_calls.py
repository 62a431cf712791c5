"""Rejections about calls: helpers, kernel functions, global functions, sleeping, locks."""

from __future__ import annotations

from bpfctl.explain.catalogue.verifier_entry import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    entry(
        "helper-unknown",
        "this kernel does not have the helper",
        "The program calls a helper by a number that is newer than the kernel, or one that the "
        "kernel was built without.",
        "Guard the call: `if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_x))`, or use "
        "another helper."
        " `bpfctl feature probe` lists those that are there.",
    ),
    entry(
        "helper-not-allowed",
        "programs of this type may not call the helper",
        "Each program type has its own list of helpers. bpfctl offers a program that calls it as "
        "each type and"
        " lists those that the kernel takes (`may use it`).",
        "Use a helper that this type has, or a type that has the helper.",
    ),
    entry(
        "kfunc-not-allowed",
        "programs of this type may not call the kernel function",
        "Kernel functions are registered for some program types. bpfctl offers a program that "
        "calls it as each type"
        " and lists those that the kernel takes (`may use it`).",
        "Call it in a program of such a type, or use a helper.",
        "Linux 5.13 and later.",
    ),
    entry(
        "kfunc-unavailable",
        "the kernel cannot resolve the call of a kernel function",
        "The function is not in the kernel's BTF, in a module that is not loaded, or the kernel "
        "does not know such"
        " calls at all.",
        "Declare it `__weak` and guard the call: `if (bpf_ksym_exists(f))`.",
        "Kernel functions can be called since Linux 5.13.",
    ),
    entry(
        "gpl-only",
        "the function is for programs with a GPL compatible license",
        "Some helpers, all kernel functions and access to structures of the kernel want a program "
        "whose section"
        ' "license" says GPL, or something compatible.',
        'If that is its license: `char LICENSE[] SEC("license") = "GPL";`.',
    ),
    entry(
        "map-type-mismatch",
        "the helper does not take maps of this type",
        "Helpers and map types belong together: bpf_ringbuf_output() takes ring buffers, "
        "bpf_tail_call() program"
        " arrays, and neither of them can be looked up in.",
        "Use the helper made for the type of map, or another type.",
    ),
    entry(
        "constant-needed",
        "an argument must be a constant",
        "The verifier has to know its value: it decides how large something is.",
        "Pass a literal, `sizeof` or a `const` global. Records of varying size: "
        "bpf_ringbuf_output(), or"
        " bpf_ringbuf_reserve_dynptr() (Linux 5.19).",
    ),
    entry(
        "string",
        "the string must be a constant that ends in a zero",
        "Formats and some names are read when the program is loaded: out of a read-only map.",
        'Use a string literal, or `static const char text[] = "...";` at file level.',
    ),
    entry(
        "callback",
        "the function cannot be called back",
        "Helpers such as bpf_loop() and bpf_for_each_map_elem() call a static function of the "
        "program.",
        "Make it static, with the prototype that the helper's documentation gives.",
        "Callbacks are there since Linux 5.13.",
    ),
    entry(
        "dynptr",
        "a dynptr is used in a state it is not in",
        "A dynptr lives on the stack, is set up once and is only passed to its helpers. It must "
        "not be written,"
        " copied or set up again while it holds something.",
        "Set it up on every path before use, release it once, and use another one for the next "
        "object.",
        "Linux 5.19 and later.",
    ),
    entry(
        "iterator",
        "an iterator is used in a state it is not in",
        "Iterators of the kernel are set up with `_new`, asked with `_next` and must be given "
        "back with `_destroy`"
        " on every path.",
        "Use `bpf_for()`, `bpf_for_each()` or `bpf_repeat()`, which do that.",
        "Linux 6.4 and later.",
    ),
    entry(
        "global-function",
        "a global function cannot be checked by itself, or is called with other arguments",
        "The verifier looks at global functions once, for all arguments of their types. It knows "
        "numbers, the context"
        " and pointers to structures of known size, which may be NULL.",
        "Make it static, so that it is checked at each call, or change its arguments: test "
        "pointers inside.",
    ),
    entry(
        "tail-call",
        "a tail call is not allowed at this place",
        "bpf_tail_call() does not come back: not while a lock or reference is held, and from "
        "subprograms only where"
        " they return an int and the JIT can do it.",
        "Leave regions and release references first; call it in the main function.",
    ),
    entry(
        "sleepable-needed",
        "the call may sleep, and the program may not",
        "Helpers that copy from user space and some kernel functions may have to wait. Only "
        "programs that were loaded"
        " as sleepable may call them.",
        'Where the type has it: `SEC("fentry.s/...")`, `SEC("lsm.s/...")`, `SEC("uprobe.s/...")`,'
        ' `SEC("iter.s/...")`, `SEC("syscall")`.',
    ),
    entry(
        "sleep-in-atomic",
        "a call that may sleep inside a region where nothing may sleep",
        "Between bpf_rcu_read_lock(), bpf_preempt_disable() or a lock and its end the program "
        "must go on.",
        "Leave the region before the call.",
    ),
    entry(
        "sleepable-target",
        "a program there cannot be sleepable, or must be",
        "Functions that run where nothing may sleep do not take sleepable programs, and only some "
        "types can be.",
        'Drop (or add) the `.s` of the section name: `SEC("fentry/...")`, `SEC("fentry.s/...")`.',
    ),
    entry(
        "sleepable-map",
        "a sleepable program uses a map of a type it may not use",
        "Some map types free their elements at once when no program can be running, which "
        "sleepable ones may be.",
        "Use an array, hash, ring buffer or local storage; or make the program not sleepable.",
        "The list of types has grown from kernel to kernel.",
    ),
    entry(
        "lock-held",
        "something is not allowed while a lock is held or preemption is off",
        "In such a region the program may not return, call most helpers or global functions, or "
        "make tail calls.",
        "Keep it short: calculate before, lock, change, unlock; and unlock on every path.",
    ),
    entry(
        "lock-misuse",
        "lock and unlock do not pair up",
        "A lock is released by the same pointer to the same map value, and only one can be held.",
        "Look the value up once and use that pointer for both.",
    ),
    entry(
        "field-program-type",
        "programs of this type may not use maps with this field",
        "Tracing programs could interrupt the holder of a bpf_spin_lock or a timer's callback and "
        "wait forever.",
        "Use a map without it there, or atomic operations (`__sync_fetch_and_add`).",
    ),
    entry(
        "legacy-packet-load",
        "the old instructions for packets are not allowed here",
        "BPF_LD_ABS and BPF_LD_IND come from classic BPF; only programs with an skb know them.",
        "Read the packet directly, or with bpf_skb_load_bytes().",
    ),
)
