"""Messages about pointers: NULL, numbers in their place, arithmetic, comparison, leaks.

Source of the words: kernel/bpf/verifier.c and kernel/bpf/btf.c of Linux 5.10 to 7.3.
"""

from __future__ import annotations

from bpfctl.explain.verifier_rule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_TEST = "test the pointer before use:  if (!{var}) return 0;"
_NULL = "verifier-null-check-missing"
_ARITHMETIC = "verifier-pointer-arithmetic"
_ONLY_MAPS = (
    "calculate only with pointers to packet data, map values, memory and the stack; use others as "
    "the kernel gave them"
)

RULES: Final = (
    Rule(
        _NULL, r"R(?P<reg>\d+) invalid mem access '\w*or_null\w*'", "R{reg} may be NULL here", _TEST
    ),
    Rule(
        _NULL,
        r"R(?P<reg>\d+) type=\w*or_null\w* expected=",
        "argument {reg} may be NULL here",
        _TEST,
    ),
    Rule(
        _NULL,
        r"R(?P<reg>\d+) pointer arithmetic on \w*or_null\w* prohibited",
        "R{reg} may be NULL here, and NULL plus something is no NULL any more",
        "test the pointer before calculating with it:  if (!{var}) return 0;",
    ),
    Rule(
        _NULL,
        r"Possibly NULL pointer passed to trusted (?:arg(?P<arg0>\d+)|R(?P<reg>\d+))",
        "argument {argument} may be NULL here",
        _TEST,
    ),
    Rule(
        _NULL,
        r"Possibly NULL pointer passed to helper (?:arg(?P<arg>\d+)|R(?P<reg>\d+))",
        "argument {argument} may be NULL here",
        _TEST,
    ),
    Rule(
        _NULL,
        r"(?:arg#(?P<arg0>\d+)|R(?P<reg>\d+)) is expected to be non-NULL",
        "argument {argument} may be NULL here, and this function does not take NULL",
        _TEST,
    ),
    Rule(
        "verifier-scalar-dereference",
        r"R(?P<reg>\d+) invalid mem access '(?:inv|scalar)'",
        "R{reg} is a number here, not a pointer the verifier knows",
        "read through the pointer as the kernel gave it; memory at any other address is read with "
        "bpf_probe_read_kernel() or BPF_CORE_READ()",
    ),
    Rule(
        "verifier-memory-type",
        r"R(?P<reg>\d+) invalid mem access '(?P<type>[^']*)'",
        "R{reg} points to something that programs may not read or write ({type})",
        "use the helper that is made for it instead of reading or writing it directly",
    ),
    Rule(
        "verifier-context-modified",
        r"(?:dereference of modified ctx ptr|negative offset ctx ptr) R(?P<reg>\d+) "
        r"off=(?P<off>-?\d+)",
        "R{reg} is the context plus {off}: the context is read through its unchanged pointer",
        "read ctx->field directly, without a pointer into the context, and keep the compiler from "
        "making one (barrier_var, a copy in a local variable)",
    ),
    Rule(
        "verifier-context-modified",
        r"variable ctx access var_off=",
        "the context is read at an offset that is not constant",
        "read ctx->field with constant offsets only; copy what you index to the stack first",
    ),
    Rule(
        "verifier-pointer-modified",
        r"(?:dereference of modified|negative offset) (?P<type>\S+) ptr R(?P<reg>\d+) "
        r"off=(?P<off>-?\d+)",
        "R{reg} is a {type} pointer plus {off}: it may only be used as the kernel gave it",
        "keep the original pointer in its own variable and use that",
    ),
    Rule(
        "verifier-pointer-modified",
        r"(?:variable (?P<type>(?!stack)\S+) access var_off=|R(?P<reg>\d+) must have zero offset)",
        "a pointer is used with an offset it may not have",
        "pass and read the pointer as the kernel gave it, with constant offsets only",
    ),
    Rule(
        _ARITHMETIC,
        r"R(?P<reg>\d+) pointer arithmetic on (?P<type>\S+) prohibited",
        "R{reg} ({type}) is a pointer that programs may not calculate with",
        _ONLY_MAPS,
    ),
    Rule(
        _ARITHMETIC,
        r"R(?P<reg>\d+) (?:bitwise operator|pointer arithmetic with) (?P<op>\S+) (?:on pointer|"
        r"operator) prohibited",
        "operator {op} on the pointer in R{reg}: only + and - are allowed on pointers",
        "calculate the offset as a number first, then add it to the pointer",
    ),
    Rule(
        _ARITHMETIC,
        r"R(?P<reg>\d+) 32-bit pointer arithmetic prohibited",
        "R{reg} is a pointer, and 32-bit arithmetic would cut it in half",
        "keep pointers in 64-bit variables (void *, long); no cast to int or __u32",
    ),
    Rule(
        _ARITHMETIC,
        r"R(?P<reg>\d+) (?:partial copy|sign-extension part) of pointer",
        "R{reg} is a pointer, and only a part of it is copied",
        "keep pointers in 64-bit variables (void *, long); no cast to int or __u32",
    ),
    Rule(
        _ARITHMETIC,
        r"R(?P<reg>\d+) (?:pointer (?P<op>\S+) pointer|subtraction from stack pointer|tried to "
        r"subtract pointer from scalar|pointer arithmetic) ?(?:prohibited)?$",
        "R{reg}: pointers cannot be added to one another or be taken away from numbers",
        "add a number to one pointer; the distance of two is allowed for packet pointers alone",
    ),
    Rule(
        "verifier-index-negative",
        r"math between (?P<type>\S+) pointer and register with unbounded min value",
        "an index or offset that may be negative is added to a {type} pointer",
        "make it unsigned and limit it right before:  if (i >= N) return 0;  or mask it:  i &= N - "
        "1;",
    ),
    Rule(
        "verifier-pointer-out-of-range",
        r"(?:value (?P<value>-?\d+) makes (?P<type>\S+) pointer be out of bounds|math between \S+ "
        r"pointer and -?\d+ is not allowed|\S+ pointer offset -?\d+ is not)",
        "the pointer would lie far outside of any object",
        "limit the offset before it is added to the pointer; look for a negative or shifted value",
    ),
    Rule(
        "verifier-pointer-comparison",
        r"R(?P<reg>\d+) pointer comparison prohibited",
        "the pointer in R{reg} is compared with something other than NULL",
        "compare pointers with NULL only (packet pointers also with data_end); without CAP_PERFMON "
        "all others are refused, because they would tell addresses",
    ),
    Rule(
        "verifier-pointer-leak",
        r"R(?P<reg>\d+) leaks addr (?P<where>.+)",
        "the address of a kernel object in R{reg} would leak {where}",
        "store the data, not the pointer; with CAP_PERFMON the kernel lets most of it pass",
    ),
    Rule(
        "verifier-pointer-leak",
        r"leaking pointer from stack off (?P<off>-?\d+)",
        "a pointer saved on the stack would leak",
        "do not let a helper read the stack where pointers are kept",
    ),
    Rule(
        "verifier-different-pointers",
        r"same insn cannot be used with different pointers",
        "one instruction would read through pointers of two kinds, depending on the path",
        "give each kind its own statement; keep the compiler from merging branches (barrier(), a "
        "separate __noinline function)",
    ),
    Rule(
        "verifier-capability",
        r"R(?P<reg>\d+) (?:has unknown scalar with mixed signed bounds|has pointer with "
        r"unsupported alu|tried to \S+ (?:from different maps|beyond pointer bounds)|could not be "
        r"pushed for speculative|variable stack access prohibited for !root|stack pointer "
        r"arithmetic goes out of range|pointer arithmetic of map value goes out)",
        "the pointer in R{reg} may only move by constants: more takes CAP_PERFMON",
        "load with CAP_PERFMON (or as root), or use constant offsets only",
    ),
)
