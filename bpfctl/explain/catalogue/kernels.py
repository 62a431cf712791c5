"""Failures for what the running kernel does not know or was built without."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_OWN_TYPES: Final = (
    "The kernel describes itself: its own type information (/sys/kernel/btf/vmlinux) has the list"
    " of all values it knows, and this one is not among them."
)

ENTRIES: Final = (
    Entry(
        "command-unknown",
        "this kernel has no such command of bpf(2)",
        "bpf(2) grew over the years, a command at a time. An old kernel answers EINVAL to one that"
        " it does not know, and that is all it says.",
        _OWN_TYPES,
        "Use a newer kernel; the message names the first that has it. There is no other way to"
        " do what that command does.",
        "Commands younger than Linux 5.10: BPF_TOKEN_CREATE (6.9), BPF_PROG_STREAM_READ_BY_FD"
        " (6.17), BPF_PROG_ASSOC_STRUCT_OPS (6.19).",
    ),
    Entry(
        "map-type-unsupported",
        "this kernel has no maps of that type",
        "Map types came one by one, and some are built only with an option of the kernel's"
        " configuration. In either case the kernel answers EINVAL, as to a map whose sizes are"
        " wrong.",
        _OWN_TYPES + " Where it is among them the smallest map of that type was made, and"
        " refused; the configuration (/proc/config.gz or /boot) says which option is not set.",
        "Use a kernel that has it: the message names the first version, or the option. Or choose"
        " an older type: a hash instead of a bloom filter, a perf event array instead of a ring"
        " buffer. `bpfctl feature probe` lists the types of this kernel.",
        "Younger than Linux 5.10 are, for instance, task_storage (5.11), bloom_filter (5.16),"
        " user_ringbuf (6.1), cgrp_storage (6.2), arena (6.9).",
    ),
    Entry(
        "program-type-unsupported",
        "this kernel has no programs of that type",
        "Program types came one by one, and some are built only with an option of the kernel's"
        " configuration. In either case the kernel answers EINVAL before it looks at the program,"
        " so that there is no log.",
        _OWN_TYPES + " Where it is among them the smallest program of each kind of that type was"
        " loaded, and refused; the configuration (/proc/config.gz or /boot) says which option is"
        " not set.",
        "Use a kernel that has it: the message names the first version, or the option."
        " `bpfctl feature probe` lists what this kernel loads, and `bpfctl help sections` since"
        " when each section's programs load.",
        "Younger than Linux 5.10 are syscall (5.14) and netfilter (6.4). BPF_LSM, CGROUP_BPF,"
        " BPF_EVENTS, BPF_LIRC_MODE2 and NETFILTER_BPF_LINK are options.",
    ),
    Entry(
        "attach-type-unsupported",
        "this kernel has no such attach type",
        "Where a program is to run (an attach type) is told when it is loaded, or when it is"
        " attached. An old kernel answers EINVAL to one that it does not know.",
        _OWN_TYPES + " Where it is among them the smallest program of that type for it was loaded,"
        " and refused.",
        "Use a newer kernel; the message names the first that has it. Or attach elsewhere: `tc`"
        " instead of tcx, kprobe instead of kprobe.multi.",
        "Younger than Linux 5.10 are, for instance, kprobe_multi (5.18), lsm_cgroup (6.0), tcx and"
        " uprobe_multi (6.6), those of unix sockets and netkit (6.7), the sessions (6.10, 6.13).",
    ),
    Entry(
        "field-unknown",
        "this kernel does not know a field of the request",
        "The argument of bpf(2), union bpf_attr, grows at its end. A kernel takes a longer one"
        " than its own only if what it does not know is zero: else it answers E2BIG, or EINVAL"
        " where another command of its own uses that place.",
        "With E2BIG bpfctl measures the kernel's union by requests of a command that does not"
        " exist, which do nothing, and compares it with where the fields in use end. Else it"
        " looks for the field in the kernel's own type information.",
        "Leave out what the field is for (a cookie, an order, a flag of a map), or use a newer"
        " kernel; the message names the first that has it.",
        "All kernels. bpfctl sends the smallest request that covers the fields in use, so that"
        " only what is used can be unknown.",
    ),
    Entry(
        "program-flag-unknown",
        "this kernel does not know a flag of the program",
        "Sections such as `xdp.frags` load their programs with a flag. A kernel that does not know"
        " the flag answers EINVAL before it looks at the program, so that there is no log.",
        "The smallest program of that type was loaded without the flag, and refused with it alone.",
        "Use the section without the flag (`xdp`), or a kernel that has it; the message names the"
        " first. Without fragments an XDP program is not attached to interfaces whose packets do"
        " not fit into one buffer.",
        "Fragments of XDP are there since Linux 5.18.",
    ),
    Entry(
        "program-too-long",
        "the program has more instructions than the kernel takes",
        "The kernel looks at a million instructions at most, those of the functions a program"
        " calls included, and at 4096 of a process without CAP_BPF. To a longer program it answers"
        " E2BIG before the verifier looks, so that there is no log. A shorter one may still be too"
        " complex, which the verifier's log says.",
        "The number of instructions in the request is compared with the limit for this process.",
        "Split the program, with a tail call between its parts; have the compiler not unroll"
        " loops or inline large functions.",
        "A million since Linux 5.2, 4096 before.",
    ),
)
