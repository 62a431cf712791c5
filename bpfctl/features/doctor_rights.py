"""What this process may do, and what the machine lets it do."""

from __future__ import annotations

from bpfctl.features.finding import bad, good, limited, unknown
from bpfctl.features.verdict import errno_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from bpfctl.features.finding import Finding
    from bpfctl.features.machine import Machine
    from bpfctl.linux.mounts import Mount

_MAINLINE_PARANOID: Final = 2
# What each is asked for (kernel/bpf/syscall.c, Linux 5.8 to 7.3; see bpfctl/objects/needs.py).
_COSTS: Final = {
    "CAP_BPF": "most maps and programs cannot be made",
    "CAP_PERFMON": "no tracing programs (kprobe, tracepoint, fentry, iter, LSM)",
    "CAP_NET_ADMIN": "no network programs (xdp, tc, cgroup)",
    "CAP_SYS_ADMIN": "objects of others cannot be listed or opened by id",
}
_DELEGATES: Final = "delegate_"
_SECURITYFS: Final = "mount -t securityfs securityfs /sys/kernel/security"


def check_syscall(machine: Machine) -> Finding:
    """Say whether bpf(2) answers."""
    verdict, filtered = machine.syscall, machine.facts.seccomp
    facts: dict[str, Any] = {"seccomp_filter": filtered}
    if verdict.available:
        return good("bpf(2)", "answers", **facts)
    if verdict.available is False:
        return bad("bpf(2)", verdict.reason, "nothing works", "CONFIG_BPF_SYSCALL=y", **facts)
    if filtered:
        seen = f"a seccomp filter decides about this process's calls: {verdict.reason}"
        return limited(
            "bpf(2)", seen, "bpf(2) may be refused to this process", "allow bpf(2) in it", **facts
        )
    if verdict.errno:
        number = errno_name(verdict.errno)
        seen = f"refused with {number} to this process"
        return limited("bpf(2)", seen, "nothing can be made or looked up", "run as root", **facts)
    return unknown("bpf(2)", verdict.reason, **facts)


def check_capabilities(machine: Machine) -> Finding:
    """Name the capabilities that are missing, and what each costs."""
    name = "capabilities"
    if machine.missing is None:
        return unknown(name, "/proc/self/status cannot be read", "mount /proc")
    lacking = [one for one in _COSTS if one in machine.missing]
    facts: dict[str, Any] = {"missing": list(machine.missing)}
    if machine.first_userns is False:
        seen = "those of a user namespace: the kernel counts none of them for bpf(2)"
        return limited(name, seen, "programs load with a BPF token only", "run as root", **facts)
    if not lacking:
        return good(name, ", ".join(_COSTS), **facts)
    if "CAP_SYS_ADMIN" not in lacking and "CAP_NET_ADMIN" in lacking:
        lacking = ["CAP_NET_ADMIN"]
    cost = "; ".join(_COSTS[one] for one in lacking)
    remedy = f"run as root, or with {', '.join(lacking)}"
    return limited(name, f"without {', '.join(lacking)}", cost, remedy, **facts)


def check_unprivileged(machine: Machine) -> Finding:
    """Say what users without capabilities may do."""
    name, key = "unprivileged", "unprivileged_bpf_disabled"
    value = machine.facts.sysctls[key]
    if value is None:
        return unknown(name, f"kernel.{key} cannot be read")
    seen = f"kernel.{key} is {value}"
    if value == 0:
        return good(name, f"{seen}: users without capabilities may load a few types", value=value)
    if machine.lacks("CAP_BPF"):
        cost = "without CAP_BPF no map can be made and no program loaded"
        return limited(name, seen, cost, value=value)
    return good(name, f"{seen}: CAP_BPF is needed, and there", value=value)


def check_tokens(machine: Machine) -> Finding:
    """Name the bpffs that hand out tokens: what a process in a user namespace needs."""
    name = "tokens"
    found = {
        mount.point: delegated
        for mount in machine.mounted("bpf")
        if (delegated := _delegated(mount))
    }
    if found:
        words = "; ".join(f"{place}: {', '.join(what)}" for place, what in found.items())
        return good(name, words, mounts=found)
    if machine.knows_tokens is False:
        seen, remedy = "this kernel has none", "Linux 6.9 has"
    else:
        seen = "no bpffs that delegates"
        remedy = "mount one with -o delegate_cmds=...,delegate_progs=... for this user namespace"
    if machine.first_userns is False:
        cost = "in a user namespace nothing can be loaded without one"
        return limited(name, seen, cost, remedy, mounts={})
    return good(name, f"{seen} (only user namespaces need one)", mounts={})


def _delegated(mount: Mount) -> list[str]:
    """Return the options of a bpffs that say what its tokens allow ("delegate_cmds=any")."""
    return [one for one in mount.options if one.startswith(_DELEGATES)]


def check_lockdown(machine: Machine) -> Finding:
    """Say what lockdown forbids. Source: security/security.c, Linux 5.4 to 7.3."""
    mode, lsms = machine.facts.lockdown, machine.facts.lsms
    if mode is None:
        if lsms is not None and "lockdown" not in lsms:
            return good("lockdown", "not among the active security modules", mode="none")
        seen = "/sys/kernel/security/lockdown cannot be read"
        return unknown("lockdown", seen, _SECURITYFS, mode=None)
    if mode == "integrity":
        cost = "bpf_probe_write_user is refused"
        return limited("lockdown", mode, cost, "boot with lockdown=none", mode=mode)
    if mode == "confidentiality":
        cost = "programs cannot read kernel memory; no kprobes, no tracefs, no perf events"
        return limited("lockdown", mode, cost, "boot with lockdown=integrity", mode=mode)
    return good("lockdown", mode, mode=mode)


def check_lsms(machine: Machine) -> Finding:
    """Say whether LSM programs would ever run: they load all the same."""
    lsms = machine.facts.lsms
    if lsms is None:
        seen = "the list of active security modules cannot be read"
        return unknown("LSM", seen, _SECURITYFS, active=None)
    seen = f"active: {', '.join(lsms)}"
    facts: dict[str, Any] = {"active": list(lsms)}
    if "bpf" in lsms:
        return good("LSM", seen, **facts)
    if machine.facts.config is not None and machine.facts.option("CONFIG_BPF_LSM") is None:
        return limited("LSM", f"CONFIG_BPF_LSM is not set; {seen}", "no LSM programs", **facts)
    order = ",".join((*lsms, "bpf"))
    cost = "LSM programs load and attach, and never run"
    return limited("LSM", f"bpf is not active; {seen}", cost, f"boot with lsm={order}", **facts)


def check_perf(machine: Machine) -> Finding:
    """Say whether perf events can be opened: kprobes, uprobes and tracepoints need them."""
    name, level = "perf events", machine.paranoid
    if level is None:
        seen = "kernel.perf_event_paranoid cannot be read"
        return unknown(name, seen, "CONFIG_PERF_EVENTS=y where the kernel has none")
    seen = f"kernel.perf_event_paranoid is {level}"
    needed = "CAP_SYS_ADMIN" if level > _MAINLINE_PARANOID else "CAP_PERFMON"
    if machine.lacks(needed):
        cost = f"without {needed} nothing attaches to kprobes, uprobes and tracepoints"
        return limited(name, seen, cost, f"run with {needed}", level=level)
    return good(name, seen, level=level)


def check_symbols(machine: Machine) -> Finding:
    """Say whether addresses in /proc/kallsyms are hidden from us."""
    if not machine.symbols_hidden:
        return good("symbols", "/proc/kallsyms shows addresses")
    cost = "no names for addresses, and no variables of the kernel as externs"
    remedy = "run with CAP_SYSLOG and kernel.kptr_restrict below 2"
    return limited("symbols", "/proc/kallsyms shows no addresses", cost, remedy)


def check_memlock(machine: Machine) -> Finding:
    """Say whether RLIMIT_MEMLOCK means anything to BPF here."""
    counts = machine.memlock_counts
    if counts is None:
        return unknown("memlock", "no map can be made to ask with", counts=None)
    if not counts:
        return good("memlock", "RLIMIT_MEMLOCK does not count for BPF here", counts=False)
    return good("memlock", "RLIMIT_MEMLOCK counts; bpfctl raises it while it loads", counts=True)
