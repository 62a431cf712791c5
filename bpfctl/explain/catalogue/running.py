"""Why a program does not run: the answers of `bpfctl why`."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_STATS: Final = (
    "Runs are counted since Linux 5.1, without the setting kernel.bpf_stats_enabled since 5.8."
)

ENTRIES: Final = (
    Entry(
        "not-attached",
        "the program is loaded, and nothing runs it",
        "Loading a program only has the kernel check and keep it. It runs where it is attached: by"
        " a link, or in the older ways, on an interface, a perf event, a cgroup, or in a map that"
        " other programs jump through.",
        "It looks through all links of the kernel, and where a program of that type can be without"
        " a link: interfaces, cgroups, the perf events of all processes, maps that hold programs.",
        "Attach it with `bpfctl link create`, or load it with `--attach` next time.",
        "Any kernel; links are there since Linux 5.7, for perf events since 5.15.",
    ),
    Entry(
        "no-attachment-seen",
        "the program is loaded, and not attached as far as can be seen",
        "Some ways to run a program leave no trace that another process can read: a socket it was"
        " put on, a route, an interface in another network namespace.",
        "It looks as for `not-attached`, and lists the places it cannot look into as candidates.",
        "Look at the candidates, in other network namespaces with `ip netns exec NAME bpfctl why"
        " ID`; if it is in none of them, attach it with `bpfctl link create`.",
        "Any kernel.",
    ),
    Entry(
        "runs-on-demand",
        "the program runs only when somebody asks for it",
        "Programs of type syscall are attached nowhere: user space runs them with"
        " BPF_PROG_TEST_RUN.",
        "The type of the program tells.",
        "Run it with BPF_PROG_TEST_RUN from the program that loaded it.",
        "The type is there since Linux 5.14.",
    ),
    Entry(
        "program-not-hit",
        "the program is attached, and did not run while it was watched",
        "Nothing is wrong with the program or its attachment as far as checks can see: what it"
        " waits for did not happen. A tracepoint may never be reached, no packet may arrive, nobody"
        " may read an iterator.",
        "It has the kernel count runs for the time of `--for` (BPF_ENABLE_STATS). A count of 0 from"
        " before says nothing: runs count only while somebody asks for it.",
        "Make the event happen while `bpfctl why --for 10` counts. If it happens and the count"
        " stays 0, the program is attached to the wrong place.",
        _STATS,
    ),
    Entry(
        "runs-uncounted",
        "the program is attached, and whether it runs cannot be told",
        "The kernel counts a run where it enters a program. Programs that others jump to (tail"
        " calls), and those that replace a function of another (freplace), are entered from there,"
        " and their runs count for the first. Counting also takes CAP_SYS_ADMIN.",
        "It looks at the type of the program, at how it is attached, and at whether runs can be"
        " counted.",
        "Ask about the program that calls it; run `bpfctl why` as root and with `--for 1`.",
        _STATS,
    ),
    Entry(
        "lsm-inactive",
        "LSM programs never run here: bpf is not among the active security modules",
        "LSM programs load and attach on every kernel with CONFIG_BPF_LSM. But the kernel calls"
        " them only if the module `bpf` is active, which is decided when the machine boots.",
        "It reads the active modules from /sys/kernel/security/lsm, or asks lsm_list_modules(2).",
        "Boot with `lsm=` and the modules that are active now, and `bpf` at their end.",
        "LSM programs are there since Linux 5.7; lsm_list_modules(2) since 6.8.",
    ),
    Entry(
        "link-detached",
        "what the link was attached to is gone",
        "An interface, a cgroup or a network namespace was removed while a link was attached to"
        " it. The link stays as long as somebody holds or pins it, and does nothing.",
        "The kernel tells 0 for the interface, the cgroup or the namespace of such a link.",
        "Remove the pin of the link (`bpfctl link show` has it), and attach the program anew.",
        "Links of cgroups since Linux 5.7, of network namespaces since 5.8, of XDP since 5.9.",
    ),
    Entry(
        "cgroup-empty",
        "no process is in the cgroup, or below it",
        "A program of a cgroup runs for what processes in that cgroup and below do. There is none,"
        " so it cannot run; sockets that processes opened there before they left still belong to"
        " it.",
        "It reads `populated` in cgroup.events of the cgroup.",
        "Write the number of a process into cgroup.procs of the cgroup, or attach the program to"
        " the cgroup that the processes are in (/proc/PID/cgroup).",
        "cgroup.events is there since Linux 4.5.",
    ),
    Entry(
        "interface-down",
        "the interface is down",
        "A program on an interface runs for packets, and none pass an interface that is down.",
        "It asks rtnetlink for the flags of the interface (IFF_UP).",
        "`ip link set NAME up`.",
        "Any kernel.",
    ),
    Entry(
        "interface-no-carrier",
        "the interface is up, and has no carrier",
        "Nothing arrives at an interface whose cable is out, or, of a pair of virtual interfaces,"
        " whose other side is down.",
        "It asks rtnetlink for the flags of the interface (IFF_LOWER_UP).",
        "Connect it; of a veth pair set the other side up as well.",
        "Any kernel.",
    ),
)
