"""Failures to attach to places that are taken, or that others keep closed."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    Entry(
        "attached-there-already",
        "the program is attached there already",
        "A trace event runs each program once. Who attaches the same loaded program to it again"
        " gets EEXIST, mostly because another instance of the same tool does so with a program"
        " that is pinned. Kernels before 4.15 took one program for an event, whichever it was.",
        "It looks for the link that has the program there, with its pins and holders, and asks the"
        " kernel about each perf event that a process has open (BPF_TASK_FD_QUERY).",
        "Leave it at that: the program runs for all processes. Or end the other instance, which is"
        " named by its process id; or load the object once more, which makes a program of its own.",
        "All. Which trace event a link is on is told since Linux 6.6.",
    ),
    Entry(
        "cgroup-attach-forbidden",
        "a program in the cgroup or above it admits no other",
        "A program attached to a cgroup in the old way (BPF_PROG_ATTACH) says what others may do:"
        " with `multi` they may attach there and below, with `override` one below may replace it"
        " there, and with neither nobody may attach there or below. Links always share.",
        "It asks each cgroup from the wanted one up to the root what it runs, and how that was"
        " attached. The nearest one with a program decides.",
        "Detach that program and attach it as a link or with `multi`; or attach to a cgroup that is"
        " not below.",
        "The rules are those of Linux 4.15; links to cgroups are there since 5.7.",
    ),
    Entry(
        "cgroup-full",
        "the cgroup runs as many programs as it may",
        "A cgroup takes 64 programs for each attach type, whether by links or not. Often somebody"
        " attaches one more at each start and never detaches.",
        "It counts the programs of that attach type in the cgroup.",
        "Detach what is left over (`bpfctl link show`, `bpfctl link detach`), or attach to another"
        " cgroup.",
        "All (BPF_CGROUP_MAX_PROGS).",
    ),
    Entry(
        "cgroup-flags-exclude",
        "flags were given that exclude each other",
        "`override` and `multi` are two answers to the same question; replacing a program"
        " (BPF_F_REPLACE) needs `multi`, for only there is a choice, and the program to replace;"
        " and what is replaced has its place, so that `before` and `after` do not go with it.",
        "It reads the flags of the request.",
        "Give one of them.",
        "BPF_F_REPLACE is there since Linux 5.6, an order since 6.17.",
    ),
    Entry(
        "attach-type-differs",
        "the program was loaded for another attach type",
        "Programs for cgroups say when they are loaded what they will be attached as (connect4,"
        " sendmsg6, getsockopt), for the verifier lets them do different things. The section name"
        " says it: `cgroup/connect4`. They cannot be attached as anything else.",
        "It asks the kernel about each attach type, with a descriptor that is no cgroup's, so that"
        " nothing is attached: where the type fits the answer is EBADF, else EINVAL.",
        "Attach it as what it was loaded for, or load it from the section of the wanted type.",
        "All.",
    ),
    Entry(
        "no-cgroup",
        "the cgroup's directory cannot be opened",
        "A cgroup is named by its directory, where the hierarchy is mounted:"
        " /sys/fs/cgroup/system.slice/web.service. What `link show` prints and what is in"
        " /proc/PID/cgroup is the path within the hierarchy (/system.slice/web.service), and that"
        " is no directory.",
        "The system refused to open the directory; suggested ones are there.",
        "Use the suggested directory. `systemd-cgls` and `findmnt -t cgroup2` show them.",
        "All.",
    ),
    Entry(
        "not-cgroup2",
        "the directory is no cgroup of version 2",
        "Programs run in the hierarchy of version 2 alone (file system `cgroup2`). Where both"
        " versions are mounted the same group often has a directory in each, and that of version 2"
        " is below /sys/fs/cgroup/unified.",
        "It compares the file system of the directory with what is mounted.",
        "Use the directory of the same name that is suggested, or one below the mount of cgroup2."
        " Where there is none: `mount -t cgroup2 none DIRECTORY`, or boot with"
        " systemd.unified_cgroup_hierarchy=1.",
        "All.",
    ),
    Entry(
        "freplace-prototype-differs",
        "the replacement does not have the prototype of the function",
        "A function that replaces another is called in its place, so both must take the same: as"
        " many arguments, each of the same kind and size, pointers to structs of the same name, and"
        " a result of the same kind. Typedefs and qualifiers do not matter, nor do names of"
        " arguments.",
        "It reads both prototypes from the type information (BTF) of the two programs and compares"
        " them by the kernel's rules. Both are shown in C, one above the other, and the first"
        " difference is marked.",
        "Declare the replacement as the remedy says. If you did not write the function, `bpfctl btf"
        " dump prog id N format c` shows its types.",
        "freplace is there since Linux 5.6.",
    ),
    Entry(
        "freplace-static-function",
        "the function is static, and only global functions are replaced",
        "The verifier checks a global function by itself, with any arguments that its types allow,"
        " and a static one only as it is called: only the former can be exchanged later. Which of"
        " both a function is stands in the type information (BTF). Compilers that do not know of"
        " that (clang before 10) say static of every function.",
        "The function's BTF says static.",
        "Remove `static` and `__always_inline`, mark it `__noinline`, and compile both programs"
        " with clang 10 or later.",
        "freplace is there since Linux 5.6; global functions too.",
    ),
    Entry(
        "freplace-function-taken",
        "the function is replaced or traced already",
        "A function of a program has one replacement at most, and none while fentry or fexit"
        " programs are on it. The kernel answers EBUSY.",
        "It looks for links whose target is that function of that program.",
        "Detach what is there first: `bpfctl link show` says who holds it and where it is pinned.",
        "Which function a link is on is told since Linux 5.13.",
    ),
)
