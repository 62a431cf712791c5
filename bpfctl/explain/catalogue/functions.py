"""Failures to attach to a function of the kernel."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    Entry(
        "kernel-btf-missing",
        "the kernel shows no types (BTF)",
        "fentry, fexit, fmod_ret, LSM, `tp_btf` and iterators find their targets in the kernel's"
        " own type information, and CO-RE fits programs to it. The kernel shows it in"
        " /sys/kernel/btf/vmlinux when it was built with CONFIG_DEBUG_INFO_BTF=y. In a container"
        " the file may be hidden although the kernel has it.",
        "The file is not there; the kernel's configuration says whether it was built with the"
        " option.",
        "Boot a kernel that has the option, or make /sys visible.\n\n"
        "CO-RE alone is content with a file, given with `--kernel-btf FILE`. There are two ways to"
        " one: `pahole --btf_encode_detached=FILE VMLINUX` makes it from this kernel's own vmlinux"
        " with debug information (the debug package of the distribution), and BTFHub keeps files"
        " for many kernels of distributions that have none. Programs that attach by type (fentry"
        " and the like) do not load with a file: ids of types mean something only to the kernel"
        " that gave them. Use kprobes and raw tracepoints there.",
        "CONFIG_DEBUG_INFO_BTF is there since Linux 5.2, the file since 5.4.",
    ),
    Entry(
        "attach-target-missing",
        "nothing of that name can be attached to",
        "The kernel's types (or those of the module or program that was named) have no function,"
        " tracepoint, LSM hook or iterator of that name. Functions of the kernel come and go with"
        " its versions, and the compiler may put a function into its callers, so that none is"
        " left.",
        "It looks the name up in the types of the kernel and of all loaded modules, and for"
        " functions in /proc/kallsyms too. Suggested names are in the types.",
        "Use one of the suggested names, or a function that calls the one you want."
        " `bpfctl btf dump file /sys/kernel/btf/vmlinux format c` shows all.",
        "Types of modules are there since Linux 5.11.",
    ),
    Entry(
        "function-without-types",
        "the function is there, but the kernel has no types of it",
        "fentry and fexit need the types of a function's arguments. Types are left out where a"
        " function was written in assembly, where namesakes with different prototypes exist, where"
        " the compiler changed the arguments, and for modules without type information.",
        "/proc/kallsyms has the function, the kernel's types do not.",
        'Use a kprobe, which needs no types: `SEC("kprobe/NAME")`. Arguments are then read from'
        " registers (PT_REGS_PARM1 and so on).",
        "Which functions have types depends on the version of pahole that built the kernel.",
    ),
    Entry(
        "function-renamed",
        "the compiler left only copies of the function, under other names",
        "A compiler may copy a function for certain callers, with fewer arguments (`.isra.0`) or"
        " with constants in place of some (`.constprop.0`), or move a part of it elsewhere"
        " (`.part.0`, `.cold`). Where no caller needs the original, only the copies are left. Types"
        " have the original's name or none.",
        "/proc/kallsyms has symbols of that name with such a suffix, and none without.",
        "Trace a function that calls it. A kprobe takes the whole name of a copy, such as"
        " `kprobe/NAME.constprop.0`; but its arguments are not those of the source.",
        "Depends on the compiler and its options; it changes from one build to the next.",
    ),
    Entry(
        "function-without-code",
        "the function has no code of its own",
        "The kernel's types have the function and its symbols do not: each of its callers contains"
        " a copy (it was inlined), or nothing calls it.",
        "The kernel said that it cannot find the address, and /proc/kallsyms has no symbol of that"
        " name, nor one with a suffix.",
        "Trace a function that calls it.",
        "Depends on the compiler and its options.",
    ),
    Entry(
        "function-not-traceable",
        "the function is left out of tracing",
        "Programs are called from the first bytes of a function, where the compiler left room for"
        " that. Functions that are marked `notrace` (tracing itself uses them), that belong to"
        " start-up (`__init`, gone after boot) or were compiled without that room take no program,"
        " whether fentry, fexit or kprobe.",
        "The function is in /proc/kallsyms, but not in available_filter_functions of tracefs, where"
        " the kernel lists all functions that can be traced.",
        "Trace a function that calls it, or one that it calls.",
        "fentry answers EBUSY, before Linux 6.0 EINVAL; kprobes answer EINVAL.",
    ),
    Entry(
        "function-never-returns",
        "the function never returns",
        "fexit and fmod_ret run when a function returns. Some end the task or the machine instead"
        " (`do_exit`, `kthread_exit`), and a program on them would hold its trampoline for ever.",
        "The kernel says so in its log.",
        "Use fentry on the same function, or the tracepoint `sched/sched_process_exit`.",
        "Refused since Linux 6.15, and in stable updates of older ones.",
    ),
    Entry(
        "function-variadic",
        "the function takes any number of arguments",
        "A trampoline saves the arguments of a function and passes them on, so it has to know how"
        " many there are. Functions like `printk` take any number.",
        "The kernel says so in its log.",
        "Trace a function that calls it, or one that it calls (`vprintk` for `printk`).",
        "Said since Linux 5.13, and in stable updates of older ones.",
    ),
    Entry(
        "function-denied",
        "the kernel itself calls the function to run a program",
        "Before and after a program on a function runs, the kernel calls some functions of its own"
        " (`migrate_disable`, `__rcu_read_lock`). A program on these would call itself for ever, so"
        " the kernel has a list of them and refuses all on it.",
        "The kernel says so in its log; older ones say nothing, and the function is one of those on"
        " their list.",
        "Trace a function that calls it.",
        "Refused since Linux 5.13.",
    ),
    Entry(
        "ambiguous-function",
        "several functions have that name",
        "Static functions in different files may have the same name, and a kprobe by name could"
        " mean any of them.",
        "/proc/kallsyms has several symbols of that name.",
        "`kprobe.multi` takes them all. fentry takes the one that the types describe, whichever"
        " that is.",
        "Kernels refuse such names since 6.6 (and in stable updates of older ones); before, the"
        " first one is probed without a word.",
    ),
    Entry(
        "kprobe-blacklisted",
        "the kernel takes no probes there",
        "Some functions take part in handling probes, and a probe on them would never end. The"
        " kernel keeps a list of them.",
        "The function is in /sys/kernel/debug/kprobes/blacklist.",
        "Trace a function that calls it.",
        "The list differs from one version to the next.",
    ),
    Entry(
        "probe-offset-inside",
        "no instruction begins at the offset",
        "A kprobe puts a breakpoint in the place of an instruction, so it must be on the first byte"
        " of one. Where instructions begin differs from one build of the kernel to the next.",
        "The kernel answers EILSEQ, and the offset is within the function.",
        "Probe the beginning of the function (no offset), or take an offset from a disassembly of"
        " this very kernel.",
        "All.",
    ),
    Entry(
        "probe-offset-outside",
        "the offset is behind the end of the function",
        "A kprobe was asked for at an offset from the beginning of a function, and the function is"
        " not as long.",
        "It compares the offset with the distance to the next symbol in /proc/kallsyms.",
        "Take a smaller offset, or probe the beginning of the function.",
        "All. Where another function happens to have an instruction at that place, the kernel takes"
        " it without a word.",
    ),
    Entry(
        "probes-unsupported",
        "this kernel has no kprobes (or uprobes)",
        "Kprobes and uprobes come with options of the kernel (CONFIG_KPROBES and"
        " CONFIG_KPROBE_EVENTS, CONFIG_UPROBES and CONFIG_UPROBE_EVENTS). Programs for them load"
        " without, but cannot be attached.",
        "The kernel lists its sources of events in /sys/bus/event_source/devices, and this one is"
        " not there. Where the kernel's configuration can be read, it says why.",
        "For functions of the kernel use fentry and fexit, or a tracepoint near the place."
        " `bpfctl feature probe` shows what there is.",
        "Both are listed since Linux 4.17.",
    ),
    Entry(
        "no-such-tracepoint",
        "there is no tracepoint of that name",
        "Trace events are named by category and name (`sched/sched_switch`), raw tracepoints by"
        " the name alone (`sched_switch`). They are more stable than functions, but some are"
        " renamed or go away, and those of modules are there while the module is loaded.",
        "It looks into the directory `events` of tracefs; for raw tracepoints the kernel answers"
        " ENOENT.",
        "Use one of the suggested names; `ls /sys/kernel/tracing/events/*` shows all.",
        "All.",
    ),
    Entry(
        "attach-target-not-chosen",
        "nothing says what the program attaches to",
        "Programs for fentry, fexit, LSM, iterators and `tp_btf` are loaded for one target, which"
        " the section name gives (`fentry/vfs_unlink`), and those for freplace for a function of a"
        " loaded program, which no section name can give.",
        "The section has no target, or is one of freplace, and no `--target` was given.",
        "Name it when you load: `--target FUNCTION`, or `--target PROG:FUNCTION` for a function of"
        " a program.",
        "All.",
    ),
    Entry(
        "no-such-function",
        "there is no function of that name",
        "A kprobe names a function by its symbol, and the kernel or file has no such symbol."
        " Functions come and go with versions, and those that were inlined have no symbol.",
        "For the kernel it looks into /proc/kallsyms, for a file into its symbol tables.",
        "Use one of the suggested names, or a function that calls the one you want.",
        "All.",
    ),
    Entry(
        "no-such-probe",
        "the file has no such static probe",
        "Static probes (USDT) are listed in notes of a file, section .note.stapsdt, as"
        " PROVIDER:NAME. Programs that were built without them have none.",
        "It reads the notes of the file.",
        "Use one of the suggested names. `readelf -n FILE` lists all of them.",
        "All.",
    ),
    Entry(
        "usdt-needs-process",
        "the arguments of a static probe can be found in one process only",
        "Without cookies (before Linux 5.15) a program knows a place of a static probe by its"
        " address, and shared libraries and most programs have another one in each process.",
        "The kernel has no links to perf events, and the ELF header says that the file can be"
        " loaded anywhere.",
        "Name one process that runs it: pid N.",
        "Linux 5.10 to 5.14; later ones have cookies.",
    ),
    Entry(
        "module-not-loaded",
        "the module that was named is not loaded",
        "In `fentry/MODULE:FUNCTION` the module has to be loaded first: its types come with it.",
        "Neither the kernel's types nor sysfs have the module; modules.dep says whether it could be"
        " loaded.",
        "`modprobe MODULE`, then try again.",
        "Types of modules are there since Linux 5.11.",
    ),
    Entry(
        "module-built-in",
        "what was named as a module is a part of the kernel",
        "The same driver may be a module in one kernel and built into another. The functions of"
        " what is built in are among the kernel's own.",
        "modules.builtin of this kernel lists it, and no such module is loaded.",
        "Leave the module out: `fentry/FUNCTION`. bpfctl looks into modules too then, so that it"
        " works in both kernels.",
        "All.",
    ),
    Entry(
        "module-without-types",
        "the module is loaded, but has no types",
        "The kernel shows the types of modules that were built with them, in /sys/kernel/btf. A"
        " kernel without CONFIG_DEBUG_INFO_BTF_MODULES shows none, nor do most modules that were"
        " built elsewhere (DKMS); and the kernel drops types that do not match its own.",
        "sysfs has the module, and /sys/kernel/btf has no file of its name.",
        "Use a kprobe, which needs no types, or build the module against this kernel's vmlinux.",
        "Types of modules are there since Linux 5.11.",
    ),
)
