"""Messages about calls: arguments, helpers and kfuncs that may not be called, global functions.

Source of the words: kernel/bpf/verifier.c and kernel/bpf/btf.c of Linux 5.10 to 7.3.
"""

from __future__ import annotations

from bpfctl.explain.verifier_rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

UNKNOWN: Final = "verifier-helper-unknown"
NOT_ALLOWED: Final = "verifier-helper-not-allowed"
KFUNC_NOT_ALLOWED: Final = "verifier-kfunc-not-allowed"
_USE_OTHER_TYPE = (
    "use another helper for it, or a program type that may; bpfctl feature probe lists both"
)
_GPL = "verifier-gpl-only"
_LICENSE = 'say so if it is:  char LICENSE[] SEC("license") = "GPL";'
_NOT_SLEEPABLE = "verifier-sleepable-needed"
_MAKE_SLEEPABLE = (
    'make the program sleepable where its type allows (".s": SEC("fentry.s/..."), '
    'SEC("lsm.s/..."), SEC("uprobe.s/...")), or use what does not sleep'
)
_TRUSTED = "verifier-trusted-needed"
_DYNPTR = "verifier-dynptr"
_ITERATOR = "verifier-iterator"
_GLOBAL = "verifier-global-function"
_PLAIN_TYPES = (
    "make the function static, or pass numbers, the context, or pointers to structs of known size "
    "(tested for NULL inside)"
)
_CONSTANT = "verifier-constant-needed"
_STRING = "verifier-string"

# Helpers that only sleepable programs have; before Linux 6.0 they are unknown to all others.
_SLEEPING = r"(?:copy_from_user\w*|ima_\w+_hash|sys_close|kern_sys_bpf)"

RULES: Final = (
    Rule(
        _NOT_SLEEPABLE,
        rf"(?:unknown func|program of this type cannot use helper) bpf_{_SLEEPING}#\d+",
        "this call may sleep, and the program is not sleepable",
        _MAKE_SLEEPABLE,
    ),
    Rule(
        NOT_ALLOWED,
        r"(?:unknown func|program of this type cannot use helper) (?P<name>bpf_\w+|"
        r"\w+)#(?P<number>\d+)",
        "programs of this type may not call {name}()",
        _USE_OTHER_TYPE,
    ),
    Rule(
        NOT_ALLOWED,
        r"func (?P<name>\w+)#\d+ (?:supported only for|not supported for program type)",
        "{name}() is not there for programs of this type or attach type",
        _USE_OTHER_TYPE,
    ),
    Rule(
        NOT_ALLOWED,
        r"helper call is not allowed in probe",
        "the helper may not be called in a program on this function",
        "attach to a function on the helper's list, or use another helper",
    ),
    Rule(
        UNKNOWN,
        r"invalid func (?P<name>\w+)#(?P<number>\d+)",
        "this kernel has no {helper}",
        "it is newer than the kernel, or the code is damaged: ask with "
        "bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_...) before the call, or boot a "
        "newer kernel",
    ),
    Rule(
        KFUNC_NOT_ALLOWED,
        r"metadata kfuncs require device-bound program",
        "the program asks a network device about a packet, and is loaded for no device",
        "load it for the device it is to run on:  xdpmeta_dev NAME",
    ),
    Rule(
        KFUNC_NOT_ALLOWED,
        r"calling kernel function (?P<name>\w+) is not allowed",
        "{name}() is not among the kernel functions that programs of this type may call",
        "use a helper, or a program type it is registered for; most functions of the kernel are "
        "for "
        "none",
    ),
    Rule(
        _GPL,
        r"cannot call (?:GPL-restricted|kernel) function from non-GPL compatible",
        "this function is for programs with a GPL compatible license only",
        _LICENSE,
    ),
    Rule(
        _GPL,
        r"(?:Cannot access kernel 'struct (?P<struct>\w+)' from non-GPL|struct ops programs must "
        r"have a GPL)",
        "this is for programs with a GPL compatible license only",
        _LICENSE,
    ),
    Rule(
        "verifier-kfunc-unavailable",
        r"(?:calling kernel function is not supported without|kernel btf_id \d+ is not a function|"
        r"failed to find BTF for kernel function|cannot find address for kernel function|kernel "
        r"function btf_id \d+ does not have|BTF fd for kfunc is not|address of kernel function|"
        r"negative offset disallowed for kernel module)",
        "the kernel cannot resolve this call of a kernel function",
        "compare bpfctl btf dump with the prototype in the program; the function may be in a "
        "module that is not loaded, or the kernel built without CONFIG_DEBUG_INFO_BTF",
    ),
    Rule(
        "verifier-map-type-mismatch",
        r"cannot pass map_type (?P<type>\d+) into func (?P<name>\w+)#\d+",
        "{name}() does not take maps of type {map_type}",
        "use the helper made for that type of map, or another type of map",
    ),
    Rule(
        _NOT_SLEEPABLE,
        r"(?:helper call might sleep in a non-sleepable prog|program must be sleepable to call "
        r"sleepable kfunc|sleepable helper \w+#\d+ in non-sleepable prog|kernel func \w+ is "
        r"sleepable within non-sleepable)",
        "this call may sleep, and the program is not sleepable",
        _MAKE_SLEEPABLE,
    ),
    Rule(
        "verifier-sleep-in-atomic",
        r"(?:sleepable helper (?P<name>\w+)#\d+ in|kernel func (?P<func>\w+) is sleepable within) "
        r"(?P<where>.+)",
        "a call that may sleep in {where}",
        "leave that region before the call (bpf_rcu_read_unlock, bpf_preempt_enable, unlock)",
    ),
    Rule(
        _TRUSTED,
        r"R(?P<reg>\d+) must be (?:referenced or trusted|a rcu pointer)",
        "argument {reg} must be a pointer the kernel vouches for",
        "pass an argument of the program or what an acquire function returned; a pointer read out "
        "of another object is not trusted: acquire it first (bpf_task_acquire and the like), or "
        "hold bpf_rcu_read_lock",
    ),
    Rule(
        "verifier-reference-missing",
        r"(?:R(?P<reg>\d+) must be referenced when|(?:func|kfunc) (?P<name>\S+) reference has not "
        r"been acquired|release (?:helper|kfunc|kernel function) \w+ expects|arg (?P<arg>\d+) is "
        r"an unacquired reference)",
        "something is released that the program does not hold",
        "release what an acquire function returned, once, and do not use it afterwards",
    ),
    Rule(
        _DYNPTR,
        r"Expected an initialized dynptr",
        "the dynptr was never set up, or was released",
        "set it up on every path before (bpf_dynptr_from_..., bpf_ringbuf_reserve_dynptr)",
    ),
    Rule(
        _DYNPTR,
        r"(?:cannot overwrite referenced dynptr|Dynptr has to be an uninitialized)",
        "the dynptr still holds something",
        "release it (bpf_ringbuf_submit_dynptr, _discard_dynptr) before it is set up or written "
        "again",
    ),
    Rule(
        _DYNPTR,
        r"(?:Expected a dynptr of type|cannot pass (?:pointer to const bpf_dynptr|in "
        r"dynptr)|arg#?\d+ "
        r"expected pointer to stack or (?:const struct bpf_)?dynptr|potential write to "
        r"dynptr|cannot "
        r"release unowned const bpf_dynptr|Unsupported reg type \S+ for bpf_dynptr)",
        "a dynptr is used in a way it may not be",
        "pass the dynptr itself, as it is on the stack, of the kind that the function takes",
    ),
    Rule(
        _ITERATOR,
        r"expected an initialized iter_(?P<kind>\w+) as (?:arg|R)",
        "the iterator was never started, or was destroyed",
        "call bpf_iter_{kind}_new() before, on every path; bpf_for and bpf_for_each do it",
    ),
    Rule(
        _ITERATOR,
        r"expected uninitialized iter_(?P<kind>\w+) as (?:arg|R)",
        "the iterator was started already",
        "call bpf_iter_{kind}_destroy() before it is started again",
    ),
    Rule(
        _ITERATOR,
        r"(?:expected valid iter|arg#\d+ expected pointer to an iterator|expected an RCU CS when)",
        "an iterator is used in a way it may not be",
        "pass the iterator itself, as it is on the stack; some want bpf_rcu_read_lock() around "
        "them",
    ),
    Rule(
        _CONSTANT,
        r"R(?P<reg>\d+) (?:is not a known constant|must be a known constant|is not a const\b)",
        "argument {reg} must be a constant that the verifier can see",
        "pass a constant (sizeof, a literal, a const in .rodata); for records of varying size use "
        "bpf_ringbuf_output() or a dynptr",
    ),
    Rule(
        _STRING,
        r"(?:R(?P<reg>\d+) (?:does not point to a readonly map|is not a constant address)|string "
        r"is not zero-terminated|Invalid format string|direct value access on string|no direct "
        r"value access support|arg#\d+ doesn't point to a const string)",
        "the string must be a constant one that ends in a zero",
        'use a string literal, or  static const char s[] = "...";',
    ),
    Rule(
        "verifier-callback",
        r"(?:callback function not (?:static|allowed)|callback function cannot be|arg\d+ expected "
        r"pointer to func|kfunc \S+ failed callback verification)",
        "the callback is not a function that may be called back",
        "pass a static function of this program with the prototype the helper's text gives",
    ),
    Rule(
        _GLOBAL,
        r"Caller passes invalid args into func#\d+(?: \('(?P<name>\w+)'\))?",
        "the arguments do not fit the global function that is called",
        _PLAIN_TYPES,
        rank=1,
    ),
    Rule(
        _GLOBAL,
        r"Arg#(?P<arg0>\d+) type (?P<type>.+?) in (?P<name>\w+)\(\) is not supported yet",
        "{name}() is global, and the kernel cannot check its argument {argument} ({type}) alone",
        _PLAIN_TYPES,
    ),
    Rule(
        _GLOBAL,
        r"arg#(?P<arg0>\d+) reference type\('(?P<type>[^']*)'\) size cannot be determined",
        "argument {argument} of a global function points to memory of unknown size",
        _PLAIN_TYPES,
    ),
    Rule(
        _GLOBAL,
        r"Global function (?P<name>\w+)\(\) (?:doesn't return scalar|return value not|with)",
        "{name}() is global, and its prototype is not one the kernel can check alone",
        "make it static, or return a number and take at most 5 arguments",
    ),
    Rule(
        _GLOBAL,
        r"(?P<name>\w+)\(\) is not a global function",
        "{name}() is static: only global functions can be replaced",
        "remove static and recompile with a clang from 10 on, which tells them apart in BTF",
    ),
    Rule(
        _GLOBAL,
        r"R(?P<reg>\d+) is not a scalar$",
        "argument {reg} of the global function must be a number",
        _PLAIN_TYPES,
    ),
    Rule(
        "verifier-argument-type",
        r"(?:arg#(?P<arg0>\d+)|R(?P<reg>\d+)) (?:expected |expects |must be |pointer type|is "
        r"(?!kernel)\S+ expected|pointer in).*",
        "argument {argument} is not what this function takes",
        "compare the argument with the prototype of the function (bpfctl btf dump)",
    ),
    Rule(
        "verifier-argument-type",
        r"R(?P<reg>\d+) type=(?P<type>\S+) expected=(?P<expected>.+)",
        "argument {reg} is {type_words}, this function takes {expected_words}",
        "pass {expected_words}; look at where the value comes from",
    ),
    Rule(
        "verifier-argument-type",
        r"(?:R(?P<reg>\d+) is of type (?P<type>\S+) but (?P<expected>\S+) is expected|kernel "
        r"function \w+ args#(?P<arg0>\d+) (?:expected )?pointer)",
        "argument {argument} is a pointer to another type than this function takes",
        "pass a pointer of the type in the prototype",
    ),
    Rule(
        "verifier-argument-type",
        r"pointer in R(?P<reg>\d+) isn't map pointer",
        "argument {reg} must be a map, and is another pointer",
        "pass the address of the map itself:  &map",
    ),
    Rule(
        "verifier-argument-type",
        r"helper access to the packet is not allowed",
        "this helper does not take pointers into the packet",
        "copy the bytes to the stack first (after a bounds check), and pass that",
    ),
    Rule(
        "verifier-map-use",
        r"tail_call abusing map_ptr",
        "one call is about one map or another, depending on the path",
        "make a call of its own for each map, in the branch that chooses it",
    ),
    Rule(
        "verifier-tail-call",
        r"(?:tail_call (?:cannot|is (?:not|only) allowed)|cannot tail call within|"
        r"tail_calls are not allowed in (?:non-JITed )?programs)",
        "a tail call is not allowed at this place",
        "leave locked regions and release references before it; call it from the main function, or "
        "from a function that returns int, with the map itself as argument",
    ),
)
