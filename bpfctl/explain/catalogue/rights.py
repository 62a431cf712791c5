"""Failures for lack of rights."""

from __future__ import annotations

from typing import Final

from bpfctl.explain.catalogue.entry import Entry

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
