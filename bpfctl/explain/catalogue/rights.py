"""Failures for lack of rights."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    Entry(
        "capabilities-missing",
        "this process lacks a capability",
        "bpf(2) asks for capabilities by what it is asked to do. Loading a program or making a map"
        " takes CAP_BPF; programs that see kernel memory (kprobe, tracepoint, fentry, iterators,"
        " LSM) take CAP_PERFMON too, programs of the network (XDP, tc, most of cgroups) and maps of"
        " sockets or devices CAP_NET_ADMIN. Opening objects by id and listing them takes"
        " CAP_SYS_ADMIN, which also stands in for CAP_BPF and CAP_PERFMON.\n\n"
        "In a user namespace of its own a process has all capabilities, and the kernel counts none"
        " of them here. Being root in a container is often not enough either: container runtimes"
        " take most capabilities away.",
        "It compares the effective capabilities of the process (`CapEff` in /proc/self/status) and"
        " its user namespace with what the kernel asks for this program type, map type or command.",
        "Run the command as root, or give the process what is named: `setcap`, `capsh`,"
        " `AmbientCapabilities=` of systemd, or the `capabilities` of a container. The table in"
        " bpfctl(8) says what each command takes.",
        "CAP_BPF and CAP_PERFMON are there since Linux 5.8. Before 5.19 every bpf(2) takes CAP_BPF"
        " where kernel.unprivileged_bpf_disabled is not 0.",
    ),
    Entry(
        "capabilities-in-user-namespace",
        "capabilities of a user namespace do not count for bpf(2)",
        "Root in a user namespace of its own (most containers of unprivileged users, `unshare -U`)"
        " has all capabilities there. bpf(2) concerns the whole machine: it asks for those of the"
        " initial user namespace, which such a process does not have.\n\n"
        "Linux 6.9 has BPF tokens: whoever administers the machine mounts a bpf file system for"
        " the namespace that says what may be done there (`delegate_cmds`, `delegate_progs`, ...)."
        " bpfctl does not use tokens.",
        "/proc/self/uid_map is not that of the initial user namespace, and the kernel refused what"
        " takes a capability. Mounted bpf file systems that hand out tokens are named.",
        "Run the command outside of the user namespace, and let the process inside use what is"
        " pinned: a container can have a bpf file system mounted into it.",
        "All kernels; tokens since 6.9.",
    ),
    Entry(
        "seccomp-refuses-bpf",
        "a seccomp filter refuses bpf(2)",
        "A filter that container runtimes and service managers put in front of a process decides"
        " which system calls it may make. That of Docker leaves bpf(2) out unless the container"
        " has CAP_BPF or CAP_SYS_ADMIN, that of systemd's SystemCallFilter= depends on the unit."
        " The kernel itself never sees the call.",
        "A request of a megabyte, which every kernel refuses with E2BIG whoever asks, was refused"
        " otherwise, and `Seccomp` in /proc/self/status says that a filter decides. The process"
        " has CAP_BPF: before Linux 5.19 the kernel itself refuses all others.",
        "Allow bpf(2), and perf_event_open(2) for probes, in the filter; or run the command"
        " outside of the container or service.",
        "All kernels.",
    ),
    Entry(
        "security-module-refuses-bpf",
        "a security module refuses bpf(2)",
        "Security modules (SELinux, or BPF programs of type LSM) are asked before each command of"
        " bpf(2), and may say no to a process that has all capabilities. The kernel's answer does"
        " not say which of them it was.",
        "A command that no kernel has was refused with EPERM or EACCES. The kernel had looked at"
        " its size, so that no seccomp filter was in its way, and would have answered EINVAL.",
        "Look into the log of the module: `ausearch -m avc` for SELinux. BPF programs on the hook"
        " are those of type lsm in `bpfctl link show` that are attached to bpf.",
        "The hook is there since Linux 4.15. A module that refuses some commands or objects only"
        " is named as a candidate.",
    ),
    Entry(
        "memlock-limit-reached",
        "the limit of locked memory is reached",
        "Before Linux 5.11 the memory of maps and programs counts against RLIMIT_MEMLOCK, which is"
        " 64 KiB or 8 MiB by default, and the kernel answers EPERM when it is reached. Later ones"
        " charge the memory cgroup instead: there this limit is never the cause.\n\n"
        "bpfctl raises the limit while it loads, as far as it may.",
        "A map that is made with the limit as it is was refused with the limit at 0, so that this"
        " kernel counts; and the same map with one entry is made, so that it is no lack of rights.",
        "`ulimit -l unlimited` in the shell, `LimitMEMLOCK=infinity` in the unit, or run with"
        " CAP_SYS_RESOURCE, with which bpfctl raises it itself. Or make the map smaller.",
        "Linux before 5.11 only.",
    ),
    Entry(
        "too-many-descriptors",
        "the process has as many files open as it may",
        "Each map, program, link and type information is a file descriptor as long as it is being"
        " loaded or used, and a process may have a limited number of them: often 1024.",
        "The kernel answered EMFILE, which means nothing else; the limit is that of the process"
        " (RLIMIT_NOFILE).",
        "`ulimit -n 65536` in the shell, `LimitNOFILE=` in the unit. Up to the hard limit"
        " (`ulimit -Hn`) that takes no rights.",
        "All kernels.",
    ),
    Entry(
        "eperm-trampoline-refused",
        "this kernel refuses programs that need a trampoline",
        "fentry, fexit, fmod_ret, freplace and LSM programs are called from the kernel's own"
        " functions, whose first instructions the kernel rewrites for that (a BPF trampoline)."
        " Some kernels are confined so that nobody may patch their code, with all capabilities"
        " either. They answer EPERM before the verifier looks at the program.",
        "The process has CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN; the kernel's log is empty; and an"
        " iterator, which is of the same program type and needs no trampoline, loads. Where no"
        " iterator loads either this is only a candidate.",
        "Use a tracepoint, a raw tracepoint or `tp_btf`, which need no trampoline, or boot a kernel"
        " without this restriction. `bpfctl feature probe` shows what loads here.",
        "No mainline kernel does this by itself.",
    ),
)
