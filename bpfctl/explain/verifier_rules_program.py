"""Messages about the whole program: complexity, loops, structure, locks, references, attach target.

Source of the words: kernel/bpf/verifier.c and kernel/bpf/btf.c of Linux 5.10 to 7.3.
"""

from __future__ import annotations

from typing import Final

from bpfctl.explain.verifier_rule import Rule

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
_TARGET = "verifier-attach-target"
_SLEEPABLE = "verifier-sleepable-target"
_STRUCT = "verifier-struct-access"
_INSN = "verifier-instruction"

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
        "count in a local variable with a constant limit, and let nothing else write it:  "
        "for (int i = 0; i < 100; i++)",
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
        r"the "
        r"middle of ldimm64 insn (?P<middle>\d+)|invalid insn idx)",
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
        r"(?:At (?P<where>.+?)|In (?:async )?callback.*?) the register R(?P<reg>\d+) "
        r"(?:has (?P<has>.+?) should have been in (?P<wanted>.+)|is not a known value)",
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
        r"(?:bpf_\w+unlock is missing|bpf_spin_unlock is missing|\d+ bpf_preempt_enable|"
        r".* cannot be used inside (?:bpf_)?\S+(?:ed)? region|(?:global )?function calls are not "
        r"allowed (?:while holding a lock|with preemption disabled)|.* inside bpf_\w+_lock)",
        "this is not allowed while a lock is held or preemption is off",
        "leave the region first: unlock on every path, and call static functions only inside",
    ),
    Rule(
        "verifier-lock-misuse",
        r"(?:bpf_\w+unlock (?:without taking|of different)|Locking two bpf_spin_locks|unmatched "
        r"(?:rcu "
        r"read unlock|attempt to enable)|nested rcu read lock|can't spin_\{lock|Calling "
        r"bpf_rcu_read|held lock and object are not|bpf_spin_lock at off=\d+ must be held)",
        "lock and unlock do not pair up",
        "take one lock at a time, release the same one, each once on every path",
    ),
    Rule(
        "verifier-field-program-type",
        r"(?P<who>tracing|socket filter|sleepable) progs cannot use (?P<field>\S+) yet",
        "{who} programs may not use a map with {field} in its values",
        "use a map without it here, or atomic operations (__sync_fetch_and_add)",
    ),
    Rule(
        "verifier-special-field",
        r"(?P<field>timer|workqueue) pointer in R1 map_uid=\d+ doesn't match map pointer in R2",
        "the {field} is in a value of another map than the one that is passed with it",
        "pass the map whose value has the {field}",
    ),
    Rule(
        "verifier-special-field",
        r"(?:R\d+ doesn't have constant offset\. \S+ has to be|map '(?P<map>[^']*)' (?:has to "
        r"have BTF|"
        r"has no valid|doesn't have)|off -?\d+ doesn't point to|R\d+ has no valid kptr|\S+ not "
        r"found "
        r"at offset)",
        "the pointer does not lead to the special field (lock, timer, kptr) of a map value",
        "pass the address of the field itself, as declared in the map's value type, with BTF (-g)",
    ),
    Rule(
        "verifier-kptr",
        r"(?:store to referenced kptr|kptr |invalid kptr access|BPF_ST imm must be 0 when storing "
        r"to "
        r"kptr|off=\d+ (?:doesn't point to kptr|kptr isn't))",
        "a kernel pointer kept in a map is used in a way that is not allowed",
        "exchange referenced ones with bpf_kptr_xchg(), read them under bpf_rcu_read_lock()",
    ),
    Rule(
        _STRUCT,
        r"(?:access beyond (?:the end of member (?P<member>\w+).* in )?struct "
        r"(?P<struct>\w+)|cannot "
        r"access ptr member (?P<ptr>\w+)|struct (?P<whole>\w+) doesn't have field|Type '\w+' is "
        r"not "
        r"a struct|field \w+ doesn't have size|direct access to \S+ is disallowed)",
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
    Rule(
        _SLEEPABLE,
        r"(?:(?P<name>\w+) is not sleepable|Only .* programs can be sleepable|Syscall programs can "
        r"only be sleepable|BPF_LSM_CGROUP programs cannot be sleepable)",
        "a program here cannot be sleepable (or must be)",
        'drop or add the ".s" of the section name: SEC("fentry/...") against SEC("fentry.s/...")',
    ),
    Rule(
        "verifier-sleepable-map",
        r"Sleepable programs can only use (?P<kinds>.+)",
        "a sleepable program uses a map of a type it may not use",
        "use {kinds}; or make the program not sleepable",
    ),
    Rule(
        _TARGET,
        r"(?:Tracing programs must provide btf_id|attach_btf_id \d+|The address of function "
        r"(?P<func>"
        r"\w+) cannot be found|(?P<name>\w+)\(\) is not modifiable|can't modify return "
        r"codes|Cannot "
        r"(?:replace|recursively|extend|nest)|Subprog \w+ doesn't exist|Extension prog|Can attach "
        r"to "
        r"only JITed|(?:FENTRY/FEXIT program|Only FENTRY/FEXIT)|Attaching fexit|Target program|The "
        r"function \w+ |struct_ops module|attach to (?:invalid|unsupported) member|\S+ programs "
        r"cannot attach|Program extension requires|in-kernel BTF is malformed)",
        "what the program wants to be attached to does not take it",
        "compare the section name with functions this kernel has: bpfctl btf dump, bpfctl feature "
        "probe, bpfctl help sections",
    ),
    Rule(
        "verifier-capability",
        r"(?:.* access is allowed only to CAP_PERFMON|loading/calling other bpf|destructive kfunc "
        r"calls require|CAP_BPF and CAP_PERFMON are required|.*prohibited for !root)",
        "this needs capabilities that the loading process lacks",
        "load with CAP_BPF and CAP_PERFMON (or as root)",
    ),
    Rule(
        "verifier-jit-needed",
        r"(?:JIT (?:is required|does(?:n't| not) support)|.* in non-JITed programs|invalid kernel "
        r"function call not eliminated)",
        "this needs the kernel's JIT compiler, which is off or too old",
        "sysctl net.core.bpf_jit_enable=1; on this architecture the kernel may be too old",
    ),
    Rule(
        "verifier-atomic",
        r"(?:BPF_(?:ATOMIC|XADD|ST) stores into R(?P<reg>\d+) (?P<type>\S+) is not allowed|invalid "
        r"atomic operand)",
        "this write or atomic operation is not allowed on that memory",
        "atomic operations work on 4 or 8 bytes of map values and of the stack",
    ),
    Rule(
        "verifier-legacy-packet-load",
        r"(?:at the time of BPF_LD_ABS|BPF_LD_\[ABS\|IND\]|LD_ABS is )",
        "the old packet load (BPF_LD_ABS, BPF_LD_IND) is not allowed here",
        "read the packet directly, or with bpf_skb_load_bytes()",
    ),
    Rule(
        "verifier-division",
        r"(?:div by zero|invalid shift (?P<bits>-?\d+))",
        "a division by 0, or a shift by more bits than the register has",
        "clang warns about such constants: look at its output",
    ),
    Rule(
        "verifier-kfunc-unavailable",
        r"BPF_CALL uses reserved fields",
        "this kernel does not know calls of kernel functions (since Linux 5.13)",
        "use a helper instead, or guard the call:  if (bpf_ksym_exists(f))",
    ),
    Rule(
        "verifier-function-info",
        r"number of funcs in func_info doesn't match",
        "the kernel finds other functions in the code than the type information names",
        "before Linux 5.13 it knows no callbacks (bpf_for_each_map_elem, bpf_loop): write a loop "
        "there; else compile again with one clang (-g -O2)",
    ),
    Rule(
        _INSN,
        r"(?:unknown opcode|unknown insn class|BPF_\w+(?:/\w+)? uses reserved fields|invalid BPF_|"
        r"unrecognized bpf_ld_imm64|invalid bpf_ld_imm64|BPF_ATOMIC uses invalid|BPF_XADD "
        r"uses|R\d+ is "
        r"invalid$|invalid may_goto|addr_space_cast insn|call to invalid destination)",
        "the kernel does not know this instruction",
        "it may be newer than the kernel: compile with -mcpu=v3 (5.10: atomics v3 need 5.12; v4 "
        "needs 6.6)",
    ),
    Rule(
        "verifier-function-info",
        r"(?:missing b(?:tf func|pf_line)_info|invalid type id \d+ in "
        r"func|func_info BTF section|same or smaller insn offset|nonzero|Invalid line_info|invalid "
        r"(?:func|btf id)|invalid func info)",
        "the type information does not fit the code",
        "compile again with one clang (-g -O2), and do not edit or strip the object's .BTF.ext",
    ),
    Rule(
        "verifier-map-use",
        r"(?:The total number of maps per program has reached the limit of (?P<count>\d+)|fd \d+ "
        r"is "
        r"not pointing to valid|bpf_struct_ops map cannot|offload device mismatch|only one cgroup "
        r"storage|Only one arena|R(?P<reg>\d+) is not a pointer to arena|direct value offset|"
        r"cannot update sockmap)",
        "the program cannot use this map, or no more maps",
        "at most 64 maps a program and one arena; some map types are for some program types only",
    ),
    Rule(
        "verifier-internal",
        r"(?:verifier (?:internal error|bug|BUG)|BUG|kernel subsystem misconfigured|bpf verifier "
        r"is "
        r"misconfigured|REG INVARIANTS VIOLATION)",
        "the verifier stumbled over itself: this is a fault of the kernel",
        "report it to bpf@vger.kernel.org with the log; another kernel may take the program",
    ),
)
