"""Rejections about pointers: NULL, numbers in their place, arithmetic, resources."""

from __future__ import annotations

from bpfctl.explain.catalogue.verifier_entry import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    entry(
        "null-check-missing",
        "a pointer that may be NULL is used without a test",
        "Functions such as bpf_map_lookup_elem(), bpf_ringbuf_reserve() or bpf_sk_lookup_tcp() "
        "return"
        " NULL when there is nothing. The verifier wants to see a test on every path from the "
        "call to"
        " the use: of the very value that is used, not of a copy made before in another type.",
        "Test it first: `if (!value) return 0;`. A test that the compiler can prove useless "
        "(behind an"
        " access of the same pointer) is removed by it: test before the first access.",
        "All kernels from 5.10 on. Arguments of tracepoints may be NULL for the verifier since "
        "6.13.",
    ),
    entry(
        "scalar-dereference",
        "memory is read through a number",
        "To the verifier a pointer is what the kernel gave as one: the context, map values, the "
        "stack,"
        " what helpers return. An address that was read out of memory, cast from a number or "
        "returned"
        " by bpf_get_current_task() is a number to it, and nothing may be read through it.",
        "Read such memory with bpf_probe_read_kernel(), bpf_probe_read_user() or "
        "`BPF_CORE_READ()`; get"
        " the current task with bpf_get_current_task_btf() (Linux 5.11), whose fields are "
        "readable.",
    ),
    entry(
        "memory-type",
        "a pointer is used for an access that it does not allow",
        "Some pointers are only for being passed on or compared: the end of the packet, maps, "
        "functions,"
        " iterators and other objects of the kernel.",
        "Use the helper that takes the pointer; compare packet pointers with `data_end` instead of"
        " reading through it.",
    ),
    entry(
        "context-modified",
        "the context is read through a changed pointer",
        "The kernel rewrites each access of the context for its own structure, so that the offset "
        "must be"
        " known when it looks: the pointer as it was passed plus a constant in the instruction "
        "itself.",
        "Read `ctx->field` directly. Copy the fields of an array (`cb[i]`) to the stack before "
        "indexing"
        " them. If clang makes a pointer of its own, put `barrier_var(ctx)` before the access.",
    ),
    entry(
        "pointer-modified",
        "a pointer is used with an offset it may not have",
        "Pointers to maps, sockets and other objects are taken only as the kernel gave them.",
        "Keep the original in a variable of its own and pass that.",
    ),
    entry(
        "pointer-arithmetic",
        "arithmetic that is not allowed on this pointer",
        "Numbers can be added to and taken from pointers to packets, map values, memory and the "
        "stack."
        " Other pointers, other operators (`&`, `|`, `*`, shifts), sums of two pointers and 32-bit"
        " arithmetic are refused, since nobody could tell where the result points.",
        "Calculate the offset as a number first, then add it. Keep pointers in 64-bit variables. "
        "To align"
        " a pointer, align the offset.",
    ),
    entry(
        "pointer-out-of-range",
        "an offset that is far too large is added to a pointer",
        "The verifier gives up on pointers more than 2^29 bytes away from their object, wherever "
        "they"
        " would end up later.",
        "Limit the number before it is added; look for a negative number in an unsigned variable.",
    ),
    entry(
        "pointer-comparison",
        "a pointer is compared with something it may not be compared with",
        "Without CAP_PERFMON a comparison could tell an address of the kernel to the program. "
        "Comparing"
        " with NULL, and packet pointers with the packet's end, is always fine.",
        "Compare with NULL only, or load with CAP_PERFMON.",
    ),
    entry(
        "pointer-leak",
        "an address of the kernel would be given away",
        "A pointer in a map, in the context, in the packet or as the return value would tell user "
        "space"
        " where objects of the kernel are, which programs without CAP_PERFMON may not.",
        "Store the data instead of the pointer, or load with CAP_PERFMON.",
    ),
    entry(
        "different-pointers",
        "one instruction reads through pointers of different kinds",
        "The kernel translates some accesses by the kind of pointer. When two branches meet in "
        "one load,"
        " through a context pointer here and a map value there, there is no single translation. "
        "Usually"
        " clang merged two lines that look alike.",
        "Read in each branch, and keep clang from merging them: `barrier();` behind one of them, "
        "or a"
        " `__noinline` function.",
    ),
    entry(
        "argument-type",
        "an argument is not of the type that the function takes",
        "Each argument of a helper or kernel function has a type: a map, the context, memory of a "
        "certain"
        " kind, a constant. The message lists what would do.",
        "Compare the call with the prototype. Memory on the stack or in a map value does for "
        "most; data of"
        " the kernel is copied there with bpf_probe_read_kernel() first.",
    ),
    entry(
        "trusted-needed",
        "the function wants a pointer that the kernel vouches for",
        "Kernel functions with trusted arguments take what the program was called with and what "
        "an acquire"
        " function returned. A pointer that was read out of another object may be stale by then.",
        "Acquire it (`bpf_task_acquire()` and the like) and release it later; for arguments "
        "marked RCU hold"
        " `bpf_rcu_read_lock()` from reading the pointer to the call.",
        "Linux 6.2 and later.",
    ),
    entry(
        "struct-access",
        "the access does not fit a structure of the kernel",
        "Offset or size are not those of a field, or the offset is not constant. Structures "
        "differ between"
        " kernels; an offset from another kernel's headers points anywhere.",
        "Access fields by name with CO-RE (`BPF_CORE_READ`, vmlinux.h), arrays in them with"
        " bpf_probe_read_kernel(). `bpfctl btf show TYPE` prints the structure of this kernel.",
    ),
    entry(
        "read-only",
        "memory is written that programs may only read",
        "Objects of the kernel, packets in some program types and memory from some helpers are "
        "read only.",
        "Change objects of the kernel through helpers and kernel functions made for it; copy the "
        "data to"
        " change a copy.",
    ),
    entry(
        "reference-leak",
        "something acquired is not released on every path",
        "What bpf_ringbuf_reserve(), bpf_sk_lookup_*() and other acquire functions return belongs "
        "to the"
        " program until it gives it back. On the path that is shown the program ends, or makes a "
        "tail call,"
        " while it still has it.",
        "Release it on every path that leaves, also on those of errors: bpf_ringbuf_submit() or"
        " bpf_ringbuf_discard(), bpf_sk_release(), `bpf_..._release()`.",
    ),
    entry(
        "reference-missing",
        "something is released, or used, that the program does not hold",
        "Only what an acquire function returned can be released, once. Afterwards the pointer is "
        "worthless,"
        " and so are copies of it.",
        "Release it last, once on each path. What the context gives (`skb->sk`) is not yours to "
        "release.",
    ),
    entry(
        "special-field",
        "a lock, timer or other special field of a map value is misused",
        "The verifier knows struct bpf_spin_lock, bpf_timer and the like in a map value by the "
        "map's BTF."
        " They are only for their helpers, at the very offset, and never read or copied.",
        "Pass `&value->lock` itself. Copy the other fields one by one. Compile with `-g`.",
    ),
    entry(
        "atomic",
        "an atomic operation or plain write on memory that does not allow it",
        "Atomic operations work on 4 or 8 bytes of map values, memory and the stack, not on the "
        "context,"
        " packets or sockets.",
        "Use a normal write, or keep the counter in a map.",
    ),
)
