"""Rejections about whole programs: complexity, loops, structure, what they are attached to."""

from __future__ import annotations

from bpfctl.explain.catalogue.verifier_entry import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    entry(
        "too-complex",
        "the verifier gave up: too many instructions to walk through",
        "The verifier walks through every path and every iteration, and stops after a million "
        "instructions. The"
        " hottest lines are those it met most often on the path that the log has.",
        "Fewer iterations, or bpf_loop() (Linux 5.17) and `bpf_for()` (6.4), which it walks once; "
        "a `__noinline` global"
        " function is walked once for all calls; tail calls start anew.",
    ),
    entry(
        "jumps-too-complex",
        "the verifier gave up: too many branches wait on one path",
        "Each branch is kept for later, 8192 of them at most. It is a loop whose iterations all "
        "differ.",
        "Move the loop's body into a `__noinline` function or a callback of bpf_loop(), or fewer "
        "branches in it.",
    ),
    entry(
        "infinite-loop",
        "a loop may never end",
        "The verifier came back to an instruction with everything as it was before: nothing in "
        "the loop makes it end.",
        "Count in a local variable with a constant limit: `for (int i = 0; i < 100; i++)`, or use "
        "`bpf_for()` or"
        " `can_loop` (Linux 6.9).",
    ),
    entry(
        "unreachable-code",
        "there is code that no path reaches",
        "The kernel wants every instruction to be reachable. Compilers leave none without a "
        "reason: an endless loop, a"
        " function that is declared not to return, assembly, or no optimisation at all.",
        "Compile with -O2; look at what is before that line.",
    ),
    entry(
        "falls-off-end",
        "a function does not end in a return",
        "The last instruction must leave the function, and jumps must stay inside. Undefined "
        "behaviour lets clang drop"
        " the rest of a function.",
        "Look at clang's warnings; return a value on every path.",
    ),
    entry(
        "stack-too-large",
        "functions use more stack than there is",
        "All functions that call one another share 512 bytes; 256 where one of them makes a tail "
        "call below.",
        "Smaller local variables; large ones go into a BPF_MAP_TYPE_PERCPU_ARRAY with one entry.",
    ),
    entry(
        "call-depth",
        "functions call one another too deep",
        "Eight calls may be open at once, and none may be of a function that is open already: "
        "there is no recursion.",
        "Write recursion as a loop with a constant limit; `static __always_inline` for small "
        "functions.",
    ),
    entry(
        "return-value",
        "the program returns what is not allowed",
        "For many attach types the kernel takes certain values only: 0 or 1 for most of cgroups, "
        "0 or a negative errno"
        " for LSM, nothing but 0 for iterators and some others.",
        "Return constants, or limit what is computed, on every path.",
    ),
    entry(
        "attach-target",
        "the target does not take such a program",
        "Whether a function can be traced, changed or replaced is decided at load. fmod_ret takes "
        "security_*() functions"
        " and those marked for error injection; freplace global functions with the same prototype.",
        "Compare the section name with what the kernel has: `bpfctl help sections`, `bpfctl "
        "feature probe`.",
    ),
    entry(
        "map-use",
        "the program cannot use this map, or no more of them",
        "A program uses at most 64 maps and one arena. Some map types are for some program types"
        " only, and a map for a device for programs of that device.",
        "Put several values into one map; compare program and map types.",
    ),
    entry(
        "capability",
        "the program needs more capabilities than the loading process has",
        "Without CAP_PERFMON the verifier also thinks of what a processor may do on paths that are"
        " never taken, and lets pointers move by constants only. Structures of the kernel take it"
        " too.",
        "Load with CAP_BPF and CAP_PERFMON, or as root.",
        "Linux 5.8 and later; before CAP_SYS_ADMIN.",
    ),
    entry(
        "division",
        "a division by zero, or a shift by too many bits",
        "With a constant the kernel refuses it at once; in variables a division by zero gives 0.",
        "clang warns about such constants.",
    ),
    entry(
        "instruction",
        "the kernel does not know an instruction",
        "Newer instruction sets need newer kernels: atomics with results (v3) 5.12, callbacks "
        "5.13, signed division and loads (v4) 6.6, `cond_break` 6.9.",
        "Compile for an older one: `clang -mcpu=v2` or `-mcpu=v3`; without callbacks a loop has "
        "to have a constant limit.",
    ),
    entry(
        "function-info",
        "the type information does not fit the code",
        "The kernel compares the functions in .BTF.ext with those in the code, and wants line "
        "information for each.",
        "Compile again with one clang (`-g -O2`), and do not strip or edit the object. Before "
        "Linux 5.13 callbacks are what it stumbles over: it finds fewer functions.",
    ),
)
