"""Machines for the tests of `doctor`: one where all is well, to be changed."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

from bpfctl.features.facts import Facts
from bpfctl.features.machine import Machine, Modules
from bpfctl.features.verdict import available, unknown
from bpfctl.linux.kconfig import KernelConfig
from bpfctl.linux.mounts import Mount

DENIED = unknown("the kernel answers EPERM before verification", errno.EPERM, "5.5")
ALL_CAPABILITIES = ("CAP_NET_ADMIN", "CAP_SYS_RESOURCE", "CAP_SYS_ADMIN", "CAP_PERFMON", "CAP_BPF")
BPFFS = Mount("/sys/fs/bpf", "/", "bpf", 5, ("rw", "mode=700"))
TRACEFS = Mount("/sys/kernel/tracing", "/", "tracefs", 6)
CGROUP2 = Mount("/sys/fs/cgroup", "/", "cgroup2", 7)
OPTIONS = (
    *("CGROUP_BPF", "BPF_EVENTS", "FPROBE", "FTRACE_SYSCALLS", "NET_CLS_BPF", "NET_XGRESS"),
    *("NETKIT", "NETFILTER_BPF_LINK", "XDP_SOCKETS", "BPF_STREAM_PARSER", "BPF_LSM"),
    *("BPF_KPROBE_OVERRIDE", "FUNCTION_ERROR_INJECTION", "SCHED_CLASS_EXT", "BPF_LIRC_MODE2"),
)


def facts(**changes: Any) -> Facts:
    whole = Facts(
        release="6.18.44",
        machine="x86_64",
        lockdown="none",
        lsms=("lockdown", "capability", "bpf"),
        sysctls={"unprivileged_bpf_disabled": 2, "bpf_jit_enable": 1, "bpf_jit_harden": 0},
        config=KernelConfig("/boot/config", {f"CONFIG_{name}": "y" for name in OPTIONS}),
        seccomp=False,
    )
    return replace(whole, **changes)


def machine(**changes: Any) -> Machine:
    """Return a machine on which all is good, with some fields changed."""
    whole = Machine(
        facts=facts(),
        missing=(),
        first_userns=True,
        paranoid=2,
        ftrace=1,
        symbols_hidden=False,
        mounts=(BPFFS, TRACEFS, CGROUP2),
        writable=frozenset({"/sys/fs/bpf"}),
        syscall=available("3.18"),
        programs={
            name: available() for name in ("socket", "kprobe", "tp_btf", "iter", "fentry", "lsm")
        },
        attach={"kprobe_attach": available(), "uprobe_attach": available()},
        btf_error="",
        btf_types=101,
        btf_unknown={},
        modules=Modules(3, 3),
        knows_tokens=True,
        memlock_counts=False,
    )
    return replace(whole, **changes)
