"""Rejections about bounds: values of maps, packets, the stack, sizes, the context."""

from __future__ import annotations

from bpfctl.explain.catalogue.verifier_entry import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    entry(
        "register-uninitialized",
        "a register is read that has no value",
        "On the path that is shown nothing sets it. Calls leave nothing in R1 to R5; R0 is the "
        "return value,"
        " and a program that sets none ends with this message.",
        "Give the variable a value where it is declared; return a value on every path.",
    ),
    entry(
        "stack-uninitialized",
        "bytes of the stack are read that were never written",
        "A helper that is given a structure on the stack reads all of it, also the padding "
        "between its fields,"
        " which an initialiser with names need not set.",
        "Clear it whole before setting fields: `struct key k; __builtin_memset(&k, 0, "
        "sizeof(k));`.",
        "All kernels from 5.10 on. Linux 6.3 and later let privileged programs read such bytes.",
    ),
    entry(
        "stack-bounds",
        "an access outside of the stack, or of a buffer on it",
        "The stack has 512 bytes. A size that is larger than the buffer whose address is passed "
        "goes beyond it.",
        "Pass `sizeof(buffer)`; keep large data in a BPF_MAP_TYPE_PERCPU_ARRAY with one entry.",
    ),
    entry(
        "stack-variable-offset",
        "the stack is indexed with a number that has no limit",
        "An index into an array on the stack must be limited where the verifier can see it; "
        "pointers to the"
        " stack with a variable offset are not taken by all helpers.",
        "Limit the index right before: `if (i >= N) return 0;`, or keep the array in a map.",
    ),
    entry(
        "spill",
        "a pointer kept on the stack is overwritten or read in part",
        "The verifier follows pointers that are saved on the stack, 8 bytes at a time. A part of "
        "one is neither"
        " a pointer nor a number.",
        "Do not overlay pointers with other data (unions, casts, memcpy of parts).",
    ),
    entry(
        "frame-pointer",
        "R10 is written",
        "R10 is the frame pointer and read only. Compilers never write it: this is hand-written "
        "assembly.",
        "Copy it: `r2 = r10; r2 += -8`.",
    ),
    entry(
        "index-negative",
        "an index may be negative",
        "The variable is signed, or larger than 32 bits, and no test keeps it from being below "
        "zero.",
        "Make it unsigned and test it: `if (i >= N) return 0;`. If clang tests a copy, use `i &= "
        "N - 1`.",
    ),
    entry(
        "index-unbounded",
        "an index has no upper limit that the verifier can see",
        "A test limits the very register that is compared. Where clang compares a copy, or loads "
        "the variable"
        " from memory again behind the test, the limit is lost.",
        "Copy it to a local variable first, test that right before the access, and use it. A mask "
        "works"
        " always: `i &= N - 1` (N a power of two).",
    ),
    entry(
        "index-out-of-bounds",
        "an index may lead outside of the object",
        "With the largest (or smallest) value that the index can have the access does not fit any "
        "more, its"
        " size included. Often it is `>` in place of `>=`.",
        "Test against the number of elements: `if (i >= N) return 0;`.",
    ),
    entry(
        "size-negative",
        "a size may be negative",
        "Helpers take sizes as numbers that the verifier wants to be limited at both ends.",
        "Make it unsigned and limit it: `if (size > MAX) size = MAX;`.",
    ),
    entry(
        "size-unbounded",
        "a size has no upper limit that the verifier can see",
        "The size goes together with the memory in the argument before it, which has to be that "
        "large. A test"
        " with a signed comparison lets negative numbers through, which are huge as sizes.",
        "Limit it in an unsigned variable right before the call, or mask it: `size &= MAX`.",
    ),
    entry(
        "size-zero",
        "a size may be 0",
        "This function does not take empty memory.",
        "Leave before the call: `if (!size) return 0;`.",
    ),
    entry(
        "map-value-bounds",
        "an access does not fit into the value of a map",
        "The offset is constant and the value smaller: the type of the pointer is not the map's "
        "value type, or"
        " an array is indexed beyond its end.",
        "Compare the map's value type with what you cast it to.",
    ),
    entry(
        "memory-bounds",
        "an access does not fit into its memory",
        "Records of a ring buffer, slices of dynptrs and arguments of global functions have a "
        "size the verifier"
        " knows.",
        "Reserve `sizeof` of what you write; limit indexes.",
    ),
    entry(
        "packet-bounds",
        "the packet is read where it may have ended",
        "Before bytes of a packet are read the program must have compared a pointer behind them "
        "with the end of"
        " the packet. What counts is the pointer that is read through and how many bytes were "
        "checked from it.",
        "`if ((void *)(p + 1) > data_end) return ...;` right before using p. Limit a variable "
        "offset before"
        " adding it (`if (off > 1500)`): otherwise the verifier forgets the check.",
    ),
    entry(
        "packet-invalidated",
        "a packet pointer is used behind a call that may move the packet",
        "Helpers that change a packet (bpf_xdp_adjust_head(), bpf_skb_pull_data(), "
        "bpf_skb_store_bytes() and"
        " others) may move it: all pointers into it are worthless afterwards.",
        "Read `data` and `data_end` from the context again behind the call, and check the bounds "
        "again.",
    ),
    entry(
        "context-access",
        "a field of the context that programs of this type may not access",
        "Which fields may be read and written, and in which sizes, depends on program type and "
        "attach type."
        " The offset is that in the structure the type's programs see (struct __sk_buff, xdp_md "
        "and so on).",
        "Access fields by name and in their own size. For arguments of kernel functions compare "
        "the program"
        " with the function: `bpfctl btf dump file /sys/kernel/btf/vmlinux`.",
    ),
    entry(
        "map-access-flags",
        "the map does not allow this access",
        "Constants (`const`, section .rodata) are in a map that is frozen; BPF_F_RDONLY_PROG and"
        " BPF_F_WRONLY_PROG do the same for other maps.",
        "Drop the `const` to change a variable, or the flag of the map.",
    ),
    entry(
        "misaligned",
        "an access is not aligned",
        "On the stack, and where the program or the machine asks for strict alignment, an access "
        "of N bytes must"
        " be at a multiple of N.",
        "Align the variable (`__attribute__((aligned(8)))`), or copy with __builtin_memcpy().",
    ),
)
