"""Messages about the whole program: complexity, loops, structure, locks, references.

Source of the words: kernel/bpf/verifier.c and kernel/bpf/btf.c of Linux 5.10 to 7.3.
"""

from __future__ import annotations

from bpfctl.explain.verifier_rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

TOO_COMPLEX: Final = "verifier-too-complex"
JUMPS_TOO_COMPLEX: Final = "verifier-jumps-too-complex"
INFINITE_LOOP: Final = "verifier-infinite-loop"
RETURN_VALUE: Final = "verifier-return-value"
LEAK: Final = "verifier-reference-leak"
# What the hottest lines of the log help with.
COMPLEXITY: Final = frozenset({TOO_COMPLEX, JUMPS_TOO_COMPLEX, INFINITE_LOOP})

_LOCK_HELD = "verifier-lock-held"
_SIMPLER = (
    "fewer iterations, bpf_loop() (5.17), bpf_for() (6.4) or a __noinline global function (checked "
    "once, alone) for the hottest part, fewer branches in it; or split with tail calls"
)
_STACK = "verifier-stack-too-large"
_LESS_STACK = (
    "smaller local variables, or keep them in a BPF_MAP_TYPE_PERCPU_ARRAY; the limit is 512 bytes "
    "for a function with all it calls"
)
_RETURN = "return only what this attach type allows, on every path; limit computed values first"
_RELEASE = (
    "release it on every path that leaves (bpf_sk_release, bpf_ringbuf_submit or _discard, "
    "bpf_..._release), also on those of errors"
)
_STRUCT = "verifier-struct-access"

RULES: Final = (
    Rule(
        TOO_COMPLEX,
        r"BPF program is too large\. Processed (?P<count>\d+) insn",
        "the verifier gave up after {count} instructions: too many paths or iterations",
        _SIMPLER,
    ),
    Rule(
        JUMPS_TOO_COMPLEX,
        r"The sequence of (?P<count>\d+) jumps is too complex",
        "the verifier gave up after {count} branches on one path",
        _SIMPLER,
    ),
    Rule(
        INFINITE_LOOP,
        r"infinite loop detected at insn (?P<insn>\d+)",
        "the loop comes back to where it was with nothing changed: it may never end",
        "count in a local variable with a constant limit, and let nothing else write it:  for (int "
        "i = 0; i < 100; i++)",
    ),
    Rule(
        "verifier-back-edge",
        r"back-edge from insn (?P<insn>\d+) to (?P<target>\d+)",
        "there is a loop, and the kernel takes none here",
        "loops need CAP_BPF (and Linux 5.3): load as root, or unroll with #pragma unroll",
    ),
    Rule(
        "verifier-unreachable-code",
        r"unreachable insn (?P<insn>\d+)",
        "no path leads to this instruction",
        "look for code behind an endless loop or a return in assembly; build with -O2 (-O0 leaves "
        "such code behind), and mind functions that never return",
    ),
    Rule(
        "verifier-falls-off-end",
        r"(?:last insn is not an exit or jmp|jump out of range from insn (?P<insn>\d+)|jump into "
        r"the middle of ldimm64 insn (?P<middle>\d+)|invalid insn idx)",
        "the program does not end in a return, or jumps out of its code",
        "every function must end in return; undefined behaviour (a shift too wide, a variable not "
        "set) makes clang leave it out: look at its warnings",
    ),
    Rule(
        _STACK,
        r"combined stack size of (?P<count>\d+) calls is (?P<size>\d+)",
        "{count} functions that call one another use {size} bytes of stack, 512 are allowed",
        _LESS_STACK,
    ),
    Rule(
        _STACK,
        r"(?:stack size (?:of subprog \d+ is )?(?P<size>\d+).*too large|stack size of subprog "
        r"(?P<sub>\d+) is (?P<bytes>\d+)\. Too large|stack size \d+\(extra \d+\) is too large)",
        "a function uses more than 512 bytes of stack",
        _LESS_STACK,
    ),
    Rule(
        _STACK,
        r"tail_calls are not allowed when call stack of previous frames is (?P<size>\d+)",
        "a function with a tail call is called with {size} bytes of stack in use, 256 are allowed",
        "make the tail call in the main function, or use less stack in those that call it",
    ),
    Rule(
        "verifier-call-depth",
        r"the call stack of (?P<count>\d+) frames is too deep",
        "functions call one another {count} deep, 8 are allowed",
        "let clang inline some (static __always_inline), and mind recursion",
    ),
    Rule(
        "verifier-call-depth",
        r"recursive call from (?P<name>\w+)\(\) to (?P<callee>\w+)\(\)",
        "{name}() calls {callee}(), which is its caller already: there is no recursion",
        "write it as a loop with a constant limit",
    ),
    Rule(
        RETURN_VALUE,
        r"(?:At (?P<where>.+?)|In (?:async )?callback.*?) the register R(?P<reg>\d+) (?:has "
        r"(?P<has>.+?) should have been in (?P<wanted>.+)|is not a known value)",
        "the return value is not one that is allowed here",
        _RETURN,
    ),
    Rule(
        RETURN_VALUE,
        r"(?:R(?P<reg>\d+) not a scalar value|At subprogram exit the register R\d+ is not a scalar|"
        r"(?:cannot return stack pointer))",
        "the return value must be a number",
        "return a number, not a pointer",
    ),
    Rule(
        LEAK,
        r"Unreleased reference id=(?P<id>\d+) alloc_insn=(?P<origin>\d+)",
        "a path leaves without giving back what was acquired at insn {origin}",
        _RELEASE,
    ),
    Rule(
        LEAK,
        r".* would lead to reference leak|BPF_LD_\[ABS\|IND\] cannot be mixed with socket ref",
        "something acquired is still held here",
        _RELEASE,
    ),
    Rule(
        _LOCK_HELD,
        r"(?:bpf_\w+unlock is missing|bpf_spin_unlock is missing|\d+ bpf_preempt_enable|.* cannot "
        r"be used inside (?:bpf_)?\S+(?:ed)? region|(?:global )?function calls are not allowed "
        r"(?:while holding a lock|with preemption disabled)|.* inside bpf_\w+_lock)",
        "this is not allowed while a lock is held or preemption is off",
        "leave the region first: unlock on every path, and call static functions only inside",
    ),
    Rule(
        "verifier-lock-misuse",
        r"(?:bpf_\w+unlock (?:without taking|of different)|Locking two bpf_spin_locks|unmatched "
        r"(?:rcu read unlock|attempt to enable)|nested rcu read lock|can't spin_\{lock|Calling "
        r"bpf_rcu_read|held lock and object are not|bpf_spin_lock at off=\d+ must be held)",
        "lock and unlock do not pair up",
        "take one lock at a time, release the same one, each once on every path",
    ),
    Rule(
        "verifier-special-field",
        r"map '(?P<name>[^']*\.(?:data|bss)[^']*)' is not a struct type or "
        r"bpf_spin_lock is mangled",
        "the lock is in {name}, and before Linux 6.2 locks of global variables are unknown",
        "put it into the struct that is the value of a map",
    ),
    Rule(
        "verifier-field-program-type",
        r"(?P<who>tracing|socket filter|sleepable) progs cannot use bpf_spin_lock yet",
        "{who} programs may not use a map with bpf_spin_lock in its values",
        "use a map without it here, and atomic operations (__sync_fetch_and_add)",
    ),
    Rule(
        "verifier-field-program-type",
        r"(?P<who>\w+) progs cannot use (?P<field>\S+) yet",
        "{who} programs may not use a map with {field} in its values",
        "use a map without it in this program; another program type may use this one",
    ),
    Rule(
        "verifier-special-field",
        r"(?P<field>timer|workqueue) pointer in R1 map_uid=\d+ doesn't match map pointer in R2",
        "the {field} is in a value of another map than the one that is passed with it",
        "pass the map whose value has the {field}",
    ),
    Rule(
        "verifier-special-field",
        r"map '(?P<name>[^']*)' has no valid (?P<field>\w+)",
        "the kernel knows of no {field} in the values of map {name}",
        "compile with BTF (-g); a kernel that finds anything wrong with the special fields of the "
        "values (locks, list heads, trees and what they contain) takes the map without types",
    ),
    Rule(
        "verifier-special-field",
        r"(?:R\d+ doesn't have constant offset\. \S+ has to be|map '(?P<map>[^']*)' (?:has to have "
        r"BTF|doesn't have|is not a)|off -?\d+ doesn't point to|R\d+ has no valid "
        r"kptr|\S+ not found at offset)",
        "the pointer does not lead to the special field (lock, timer, kptr) of a map value",
        "pass the address of the field itself, as declared in the map's value type, with BTF (-g)",
    ),
    Rule(
        "verifier-kptr",
        r"(?:store to referenced kptr|kptr |invalid kptr access|BPF_ST imm must be 0 when storing "
        r"to kptr|off=\d+ (?:doesn't point to kptr|kptr isn't))",
        "a kernel pointer kept in a map is used in a way that is not allowed",
        "exchange referenced ones with bpf_kptr_xchg(), read them under bpf_rcu_read_lock()",
    ),
    Rule(
        _STRUCT,
        r"(?:access beyond (?:the end of member (?P<member>\w+).* in )?struct (?P<struct>\w+)|"
        r"cannot access ptr member (?P<ptr>\w+)|struct (?P<whole>\w+) doesn't have field|Type "
        r"'\w+' is not a struct|field \w+ doesn't have size|direct access to \S+ is disallowed)",
        "the access does not fit the kernel's struct",
        "compare with the running kernel's type (bpfctl btf dump) and access it through CO-RE "
        "(preserve_access_index, BPF_CORE_READ) so that offsets follow the kernel",
    ),
    Rule(
        _STRUCT,
        r"R(?P<reg>\d+) is (?P<type>\S+) invalid (?:negative access|variable offset)",
        "R{reg} ({type}) is read before its beginning or at an offset that is not constant",
        "read fields of kernel structs by name; arrays in them with bpf_probe_read_kernel()",
    ),
    Rule(
        "verifier-user-memory",
        r"R(?P<reg>\d+) is (?P<type>\S+) access (?P<which>user|percpu) memory",
        "R{reg} points to {which} memory, which is not read directly",
        "user memory: bpf_probe_read_user(); per-CPU memory: bpf_per_cpu_ptr(), bpf_this_cpu_ptr()",
    ),
)
