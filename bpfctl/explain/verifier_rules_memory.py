"""Messages about bounds: map values, packets, the stack, sizes, the context, registers not set.

Source of the words: kernel/bpf/verifier.c of Linux 5.10 to 7.3.
"""

from __future__ import annotations

from bpfctl.explain.verifier_rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_INIT = (
    "set every byte before it is read:  struct key k = {{}};  (also padding: memset, or "
    "__builtin_memset, before the fields)"
)
_STACK_512 = (
    "put large data into a map: a BPF_MAP_TYPE_PERCPU_ARRAY with one entry serves as scratch memory"
)
_UNINIT = "verifier-stack-uninitialized"
_STACK = "verifier-stack-bounds"
_VARIABLE = "verifier-stack-variable-offset"
_OUTSIDE = "verifier-index-out-of-bounds"
_PACKET = "verifier-packet-bounds"
_CHECK_PACKET = (
    "compare with the end right before:  if ((void *)(p + 1) > data_end) return ...;  and use p "
    "only behind it"
)
_WITHIN_VALUE = (
    "stay within the value: compare the type you cast to, and the size you pass, with the map's "
    "value type"
)
_READ_ONLY = "verifier-read-only"

RULES: Final = (
    Rule(
        "verifier-register-uninitialized",
        r"R(?P<reg>\d+) !read_ok",
        "R{reg} has no value here",
        "give it a value on every path; R0 must hold the return value at the end, and calls "
        "destroy R1 to R5",
    ),
    Rule(
        _UNINIT,
        r"invalid indirect read from stack",
        "a function reads stack bytes that were never written",
        _INIT,
    ),
    Rule(
        _UNINIT,
        r"invalid (?:indirect )?read from stack (?:R(?P<reg>\d+) )?(?:off|var_off) \S+\+\d+ size "
        r"(?P<size>\d+)",
        "stack bytes are read that were never written",
        _INIT,
    ),
    Rule(
        _STACK,
        r"invalid (?:zero-size )?(?P<how>read from|write to|indirect access to) stack "
        r"R(?P<reg>\d+) off=(?P<off>-?\d+) size=(?P<size>\d+)",
        "{size} bytes at stack offset {off}: the stack is 512 bytes, -512 to -1",
        _STACK_512,
    ),
    Rule(
        _STACK,
        r"invalid stack (?:type R(?P<reg>\d+) )?off=(?P<off>-?\d+) (?:access_)?size=(?P<size>\d+)",
        "{size} bytes at stack offset {off}: the stack is 512 bytes, -512 to -1",
        _STACK_512,
    ),
    Rule(
        _VARIABLE,
        r"(?:variable stack access|invalid (?:unbounded )?variable-offset .*stack R(?P<at>\d+)|"
        r"R(?P<reg>\d+) (?:unbounded indirect variable offset|(?:indirect )?variable offset stack "
        r"access)|variable offset stack pointer cannot)",
        "the stack is used at an offset that is not known well enough",
        "limit the index before use (if (i >= N) return 0;), or keep the array in a map",
    ),
    Rule(
        "verifier-spill",
        r"(?:attempt to corrupt spilled pointer|invalid size of register (?:fill|spill)|cannot "
        r"spill pointers to stack)",
        "a pointer saved on the stack is overwritten or read in part",
        "keep the pointer in a variable of its own; do not overlay it (union, memcpy, casts)",
    ),
    Rule(
        "verifier-frame-pointer",
        r"frame pointer is read only",
        "R10, the frame pointer, is written",
        "take a copy of it in another register (hand-written assembly)",
    ),
    Rule(
        "verifier-index-negative",
        r"R(?P<reg>\d+) min value is negative, either use unsigned index",
        "R{reg} has an index in it that may be negative",
        "make the index unsigned, or test it:  if (i < 0 || i >= N) return 0;",
    ),
    Rule(
        "verifier-index-unbounded",
        r"R(?P<reg>\d+) unbounded memory access, make sure to bounds check",
        "R{reg} has an index in it with no upper limit the verifier can see",
        "test the same variable that is used as index, right before:  if (i >= N) return 0;  or "
        "mask it:  i &= N - 1;",
    ),
    Rule(
        _OUTSIDE,
        r"R(?P<reg>\d+) (?P<side>max|min) value is outside of the (?:allowed memory|array) range",
        "R{reg} has an index in it whose {side}imum lies outside of the object",
        "limit it to what the object holds (size of access included):  if (i >= N) return 0;",
    ),
    Rule(
        "verifier-size-negative",
        r"R(?P<reg>\d+) min value is negative, either use unsigned or 'var &= const'",
        "argument {reg}, a size, may be negative",
        "make the size unsigned and limit it:  if (size > MAX) size = MAX;  or  size &= MAX;",
    ),
    Rule(
        "verifier-size-unbounded",
        r"R(?P<reg>\d+) unbounded (?:memory access|size), use 'var &= const'",
        "argument {reg}, a size, has no upper limit the verifier can see",
        "limit it right before the call:  if (size > MAX) return 0;  in an unsigned variable (a "
        "signed comparison lets negative values through), or  size &= MAX;",
    ),
    Rule(
        "verifier-size-zero",
        r"(?:R(?P<reg>\d+) invalid zero-sized read|invalid zero-sized read)",
        "a size may be 0, and this function takes none",
        "leave before the call when it is 0:  if (!size) return 0;",
    ),
    Rule(
        "verifier-map-value-bounds",
        r"invalid access to map value, value_size=(?P<whole>\d+) off=(?P<off>-?\d+) "
        r"size=(?P<size>\d+)",
        "{size} bytes at offset {off} do not fit into the map value of {whole} bytes",
        _WITHIN_VALUE,
        rank=-1,
    ),
    Rule(
        "verifier-map-value-bounds",
        r"invalid access to map value pointer, value_size=(?P<whole>\d+) off=(?P<off>-?\d+)",
        "offset {off} lies outside of the map value of {whole} bytes",
        _WITHIN_VALUE,
    ),
    Rule(
        "verifier-memory-bounds",
        r"invalid access to (?P<what>memory, mem|map key, key)_size=(?P<whole>\d+) "
        r"off=(?P<off>-?\d+) size=(?P<size>\d+)",
        "{size} bytes at offset {off} do not fit into the memory of {whole} bytes",
        "stay within what was reserved or passed: compare the sizes, limit the index",
        rank=-1,
    ),
    Rule(
        _PACKET,
        r"invalid access to packet, off=(?P<off>-?\d+) size=(?P<size>\d+), "
        r"R(?P<reg>\d+)\(id=0,off=\d+,r=(?P<checked>[1-9]\d*)",
        "{size} bytes at offset {off} of the packet are read, but only its first {checked} bytes "
        "were checked",
        _CHECK_PACKET,
        rank=1,
    ),
    Rule(
        _PACKET,
        r"invalid access to packet, off=(?P<off>-?\d+) size=(?P<size>\d+), R(?P<reg>\d+)\(id=[1-9]",
        "R{reg} lies at a variable offset in the packet, and no check against its end holds there",
        "limit the offset before it is added (if (off > 1500) return ...;): without a limit the "
        "verifier forgets the check; then compare with data_end",
        rank=1,
    ),
    Rule(
        _PACKET,
        r"invalid access to packet, off=(?P<off>-?\d+) size=(?P<size>\d+), R(?P<reg>\d+)",
        "{size} bytes at offset {off} of the packet are read, and nothing was checked against its "
        "end",
        _CHECK_PACKET,
        rank=1,
    ),
    Rule(
        _PACKET,
        r"R(?P<reg>\d+) offset is outside of the packet",
        "R{reg} may point behind the end of the packet",
        _CHECK_PACKET,
    ),
    Rule(
        "verifier-context-access",
        r"invalid bpf_context access off=(?P<off>-?\d+) size=(?P<size>\d+)",
        "programs of this type may not access {size} bytes at offset {off} of the context",
        "use fields of the context type that this program type may read (or write), in their own "
        "size; a tracepoint's arguments have their own struct",
    ),
    Rule(
        "verifier-context-access",
        r"func '(?P<func>\w+)' doesn't have (?P<nth>\d+)-th argument",
        "{func} has no argument {nth} on this kernel",
        "compare the arguments in the program with the kernel's function: bpfctl btf dump",
        rank=1,
    ),
    Rule(
        "verifier-context-access",
        r"func '(?P<func>\w+)' size \d+ must be 8",
        "{func} has no argument of this size",
        "arguments have 8 bytes each: read them with BPF_PROG()",
    ),
    Rule(
        "verifier-context-access",
        r"invalid access to flow keys off=(?P<off>-?\d+) size=(?P<size>\d+)",
        "the flow keys have no {size} bytes at offset {off}",
        "use the fields of struct bpf_flow_keys",
    ),
    Rule(
        "verifier-struct-access",
        r"R(?P<reg>\d+) invalid (?P<type>\w*sock\w*) access off=(?P<off>-?\d+) size=(?P<size>\d+)",
        "{type_words} has no {size} bytes at offset {off} that programs may access",
        "use the fields of its struct (bpf_sock, bpf_tcp_sock) in their own sizes",
    ),
    Rule(
        "verifier-struct-access",
        r"access beyond the end of member (?P<member>\S+) \(mend:\d+\) in struct (?P<struct>\S+) "
        r"with off (?P<off>\d+) size (?P<size>\d+)",
        "{size} bytes at offset {off} of struct {struct} are more than its member {member}",
        "read the member in its own size",
    ),
    Rule(
        "verifier-read-only",
        r"no write support to (?P<struct>\w+) at off (?P<off>\d+)",
        "the kernel lets programs write some members of struct {struct}, and not that at {off}",
        "look at what the kernel's own struct_ops of this kind write; a newer kernel may let more",
    ),
    Rule(
        "verifier-memory-bounds",
        r"R(?P<reg>\d+) invalid variable buffer offset",
        "R{reg} leads into a buffer at an offset that is not constant",
        "access the buffer at constant offsets",
    ),
    Rule(
        "verifier-memory-bounds",
        r"R(?P<reg>\d+) invalid (?:variable )?(?P<what>\S+) (?:buffer )?(?:access:? off|offset)",
        "the access through R{reg} does not fit into its memory",
        "stay within what the kernel gives here, with constant offsets",
    ),
    Rule(
        "verifier-map-access-flags",
        r"write into map forbidden",
        "programs may not write into this map",
        "constants (const, .rodata) stay as they are: drop the const to change one; else the map "
        "has the flag BPF_F_RDONLY_PROG",
    ),
    Rule(
        "verifier-map-access-flags",
        r"read from map forbidden",
        "programs may not read this map",
        "the map has the flag BPF_F_WRONLY_PROG: make it without",
    ),
    Rule(
        _READ_ONLY,
        r"R(?P<reg>\d+) cannot write into (?P<type>\S+)",
        "R{reg} points to memory that programs may only read ({type})",
        "copy the data first and change the copy",
    ),
    Rule(
        _READ_ONLY,
        r"(?:cannot write into packet|the prog does not allow writes to packet data)",
        "programs of this type may read the packet, not write it",
        "use a type that may (xdp, tc), or bpf_skb_store_bytes() where the type has it",
    ),
    Rule(
        _READ_ONLY,
        r"(?:only read (?:is supported|from \S+ is supported)|write to change key R(?P<reg>\d+) "
        r"not allowed)",
        "kernel memory is written, and programs may only read it here",
        "change kernel objects through the helpers and kfuncs made for it",
    ),
    Rule(
        "verifier-misaligned",
        r"misaligned (?P<what>packet|stack|value|\S*) ?access off .* size (?P<size>\d+)",
        "{size} bytes are accessed at an address that is no multiple of {size}",
        "read it in smaller pieces (__builtin_memcpy, __attribute__((packed))), or align the "
        "variable",
    ),
    Rule(
        "verifier-special-field",
        r"(?P<field>bpf_\w+|\w+) cannot be accessed directly by load/store",
        "{field} inside the value is read or written directly",
        "use the helpers for it; copy the fields around it one by one instead of the whole value",
    ),
)
