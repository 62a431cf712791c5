"""Messages about what this kernel takes: attach targets, rights, instructions, type information.

Source of the words: kernel/bpf/verifier.c and kernel/bpf/btf.c of Linux 5.10 to 7.3.
"""

from __future__ import annotations

from bpfctl.explain.verifier_rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_TARGET = "verifier-attach-target"
_SLEEPABLE = "verifier-sleepable-target"
_INSN = "verifier-instruction"

RULES: Final = (
    Rule(
        _SLEEPABLE,
        r"(?P<name>\w+) is not sleepable",
        "{name}() may run where nothing may sleep: no sleepable program can be attached to it",
        'drop the ".s" of the section name: SEC("fentry/...") in place of SEC("fentry.s/...")',
    ),
    Rule(
        _SLEEPABLE,
        r"Only (?P<kinds>.+) programs can be sleepable",
        "on this kernel only {kinds} programs can be sleepable",
        'drop the ".s" of the section name, or take a newer kernel',
    ),
    Rule(
        _SLEEPABLE,
        r"(?:Syscall programs can only be sleepable|"
        r"BPF_LSM_CGROUP programs cannot be sleepable)",
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
        r"(?P<name>\w+)\(\) is not modifiable",
        "programs may not change what {name}() returns",
        "fmod_ret takes security_*() functions and those marked ALLOW_ERROR_INJECTION; fexit "
        "observes what a function returns",
    ),
    Rule(
        _TARGET,
        r"attach_btf_id \d+ points to disabled hook bpf_lsm_(?P<name>\w+)",
        "the kernel takes no programs at the hook {name}",
        "choose another hook: those that give memory to an object, or show what it is to user "
        "space, are for security modules alone",
    ),
    Rule(
        _TARGET,
        r"(?:Tracing programs must provide btf_id|attach_btf_id \d+|The address of function "
        r"(?P<func>\w+) cannot be found|(?P<name>\w+)\(\) is not modifiable|can't modify return "
        r"codes|Cannot (?:replace|recursively|extend|nest)|Subprog \w+ doesn't exist|Extension "
        r"prog|Can attach to only JITed|(?:FENTRY/FEXIT program|Only FENTRY/FEXIT)|Attaching fexit|"
        r"Target program|The function \w+ |struct_ops module|attach to (?:invalid|unsupported) "
        r"member|\S+ programs cannot attach|Program extension requires|in-kernel BTF is malformed)",
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
        r"div by zero",
        "a division by the constant 0",
        "clang warns about it: look at its output",
    ),
    Rule(
        "verifier-division",
        r"invalid shift (?P<bits>-?\d+)",
        "a shift by {bits} bits, which is more than the register has",
        "clang warns about it: look at its output",
    ),
    Rule(
        "verifier-kfunc-unavailable",
        r"BPF_CALL uses reserved fields",
        "this kernel does not know calls of kernel functions (since Linux 5.13)",
        "use a helper instead, or guard the call:  if (bpf_ksym_exists(f))",
    ),
    Rule(
        "verifier-kfunc-unavailable",
        r"pseudo btf_id \d+ in ldimm64 isn't KIND_VAR\.",
        "this kernel does not know addresses of its functions in programs (since Linux 6.4)",
        "declare it without type, for its address alone:  extern const void f __ksym;",
    ),
    Rule(
        "verifier-function-info",
        r"number of funcs in func_info doesn't match",
        "the kernel finds other functions in the code than the type information names",
        "compile again with one clang (-g -O2), and do not edit the object's .BTF.ext",
    ),
    Rule(
        _INSN,
        r"(?:unknown opcode|unknown insn class|BPF_\w+(?:/\w+)? uses reserved fields|invalid BPF_|"
        r"unrecognized bpf_ld_imm64|invalid bpf_ld_imm64|BPF_ATOMIC uses invalid|BPF_XADD uses|"
        r"R\d+ is invalid$|invalid may_goto|addr_space_cast insn|call to invalid destination)",
        "the kernel does not know this instruction",
        "it may be newer than the kernel: compile with -mcpu=v3 (5.10: atomics v3 need 5.12; v4 "
        "needs 6.6)",
    ),
    Rule(
        "verifier-function-info",
        r"(?:missing b(?:tf func|pf_line)_info|invalid type id \d+ in func|func_info BTF section|"
        r"same or smaller insn offset|nonzero|Invalid line_info|invalid (?:func|btf id)|invalid "
        r"func info)",
        "the type information does not fit the code",
        "compile again with one clang (-g -O2), and do not edit or strip the object's .BTF.ext",
    ),
    Rule(
        "verifier-map-use",
        r"The total number of maps per program has reached the limit of (?P<count>\d+)",
        "the program uses more than {count} maps",
        "put several values into one map, or split the program (tail calls)",
    ),
    Rule(
        "verifier-map-use",
        r"(?:fd \d+ is not pointing to valid|bpf_struct_ops map cannot|offload device mismatch|"
        r"only one cgroup storage|Only one arena|R(?P<reg>\d+) is not a pointer to arena|direct "
        r"value offset|cannot update sockmap)",
        "the program cannot use this map",
        "some map types are for some program types only, and an arena is one a program",
    ),
    Rule(
        "verifier-internal",
        r"(?:verifier (?:internal error|bug|BUG)|BUG|kernel subsystem misconfigured|bpf verifier "
        r"is misconfigured|REG INVARIANTS VIOLATION)",
        "the verifier stumbled over itself: this is a fault of the kernel",
        "report it to bpf@vger.kernel.org with the log; another kernel may take the program",
    ),
)
