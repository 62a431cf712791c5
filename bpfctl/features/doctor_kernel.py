"""What the kernel was built with and does."""

from __future__ import annotations

from bpfctl.features.finding import bad, good, limited, unknown
from bpfctl.linux.version import parse_release
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from bpfctl.features.finding import Finding
    from bpfctl.features.machine import Machine


class _Option(NamedTuple):
    """An option, the first version that has it, and what goes without it."""

    name: str
    since: str
    cost: str


# Those that no other check speaks of.
_OPTIONS: Final = (
    _Option("CONFIG_CGROUP_BPF", "4.10", "no programs of cgroups"),
    _Option("CONFIG_BPF_EVENTS", "4.1", "no tracing programs at all"),
    _Option("CONFIG_FPROBE", "5.18", "no kprobe.multi; use kprobe or fentry"),
    _Option("CONFIG_FTRACE_SYSCALLS", "4.7", "no tracepoints syscalls/*; use raw_tp sys_enter"),
    _Option("CONFIG_NET_CLS_BPF", "3.13", "no filters of tc; use tcx"),
    _Option("CONFIG_NET_XGRESS", "6.6", "no tcx; use filters of tc"),
    _Option("CONFIG_NETKIT", "6.7", "no netkit devices; use veth and tcx"),
    _Option("CONFIG_NETFILTER_BPF_LINK", "6.4", "no netfilter programs; use tcx"),
    _Option("CONFIG_XDP_SOCKETS", "4.18", "no AF_XDP sockets"),
    _Option("CONFIG_BPF_STREAM_PARSER", "4.20", "no sockmaps"),
    _Option("CONFIG_BPF_KPROBE_OVERRIDE", "4.16", "no bpf_override_return"),
    _Option("CONFIG_FUNCTION_ERROR_INJECTION", "4.16", "fmod_ret attaches to security_* only"),
    _Option("CONFIG_SCHED_CLASS_EXT", "6.12", "no schedulers (sched_ext)"),
    _Option("CONFIG_BPF_LIRC_MODE2", "4.18", "no infrared decoders"),
)


def check_btf(machine: Machine) -> Finding:
    """Say whether the kernel's types can be read."""
    if machine.btf_unknown:
        return _newer_btf(machine)
    if not machine.btf_error:
        return good("BTF", f"{machine.btf_types - 1} types", types=machine.btf_types - 1)
    cost = "no CO-RE, no fentry, tp_btf, iterators, LSM and struct_ops programs"
    remedy = "CONFIG_DEBUG_INFO_BTF=y; for CO-RE alone: kernel_btf FILE, of BTFHub or pahole"
    return bad("BTF", machine.btf_error, cost, remedy, types=None)


def _newer_btf(machine: Machine) -> Finding:
    """Types of newer kinds are passed over: all others can be used."""
    unknown = machine.btf_unknown
    kinds = ", ".join(f"{count} of kind {kind}" for kind, count in sorted(unknown.items()))
    seen = f"{machine.btf_types - 1} types; passed over, newer than bpfctl: {kinds}"
    cost = "what is of these kinds cannot be shown, nor matched by CO-RE"
    facts: dict[str, Any] = {"types": machine.btf_types - 1, "unknown_kinds": unknown}
    return limited("BTF", seen, cost, "a newer bpfctl", **facts)


def check_module_btf(machine: Machine) -> Finding:
    """Say whether modules come with types."""
    found = machine.modules
    if found is None:
        return unknown("module BTF", "/proc/modules cannot be read")
    facts: dict[str, Any] = {"loaded": found.loaded, "typed": found.typed}
    seen = f"{found.typed} of {found.loaded} loaded modules"
    if not found.loaded:
        return good("module BTF", "no modules are loaded", **facts)
    if found.typed == found.loaded:
        return good("module BTF", seen, **facts)
    cost = "no fentry, no kfuncs and no CO-RE for the others"
    return limited(
        "module BTF", seen, cost, "CONFIG_DEBUG_INFO_BTF_MODULES=y (Linux 5.11)", **facts
    )


def check_jit(machine: Machine) -> Finding:
    """Say whether programs are compiled, and whether their constants are blinded."""
    enabled, harden = machine.facts.jit, machine.facts.sysctls.get("bpf_jit_harden")
    facts: dict[str, Any] = {"enabled": enabled, "harden": harden}
    if enabled is None:
        return unknown("JIT", "net.core.bpf_jit_enable cannot be read", **facts)
    if not enabled:
        cost = "programs are interpreted: slowly, and without fentry, struct_ops and kfuncs"
        return limited("JIT", "off", cost, "sysctl net.core.bpf_jit_enable=1", **facts)
    if harden == 2:
        cost = "constants are blinded for root too: programs are slower"
        remedy = "sysctl net.core.bpf_jit_harden=1"
        return limited("JIT", "on, hardened for everybody", cost, remedy, **facts)
    return good("JIT", "on", **facts)


def check_kprobes(machine: Machine) -> Finding:
    """Say whether kprobes attach: such programs load all the same."""
    others = ["fentry"] if machine.programs["fentry"].available else []
    others += ["tp_btf"] if machine.programs["tp_btf"].available else []
    remedy = f"use {', '.join((*others, 'raw_tp'))} or tracepoints"
    return _attach(machine, "kprobe", "kprobe programs load, and attach nowhere", remedy)


def check_uprobes(machine: Machine) -> Finding:
    """Say whether uprobes attach."""
    return _attach(machine, "uprobe", "user space cannot be probed", "CONFIG_UPROBES=y")


def _attach(machine: Machine, name: str, cost: str, remedy: str) -> Finding:
    verdict = machine.attach[f"{name}_attach"]
    if verdict.available:
        return good(f"{name}s", "in this kernel")
    if verdict.available is None:
        return unknown(f"{name}s", verdict.reason)
    return limited(f"{name}s", f"not in this kernel: {verdict.reason}", cost, remedy)


def check_trampolines(machine: Machine) -> Finding:
    """Say whether programs that need a trampoline load, and what the refusal rests on."""
    name, verdict = "trampolines", machine.programs["fentry"]
    if verdict.available:
        return good(name, "fentry loads")
    if verdict.available is False:
        cost = "no fentry, fexit, fmod_ret and LSM programs"
        return limited(name, f"fentry: {verdict.reason}", cost, "use kprobes or tracepoints")
    if not (verdict.denied and machine.is_privileged):
        return unknown(name, f"fentry: {verdict.reason}", "run as root to know")
    others = [one for one in ("iter", "tp_btf") if machine.programs[one].available]
    if not others:
        return unknown(name, f"fentry: {verdict.reason}")
    refused = [one for one in ("fentry", "lsm") if machine.programs[one].denied]
    seen = f"{' and '.join(refused)} refused with EPERM though {' and '.join(others)} load"
    cost = "no fentry, fexit, fmod_ret, freplace and LSM programs"
    remedy = "use tp_btf or a tracepoint (bpfctl explain eperm-trampoline-refused)"
    return limited(name, seen, cost, remedy)


def check_ftrace(machine: Machine) -> Finding:
    """Say whether the function tracer is on: trampolines and most kprobes go through it.

    Source: kernel.ftrace_enabled, Documentation/admin-guide/sysctl/kernel.rst.
    """
    name, value = "ftrace", machine.ftrace
    if value is None:
        return unknown(
            name, "there is no setting kernel.ftrace_enabled", "CONFIG_FUNCTION_TRACER=y"
        )
    if value:
        return good(name, "on", enabled=True)
    cost = "fentry, fexit and kprobes on the first instruction of functions do not attach or run"
    remedy = "sysctl kernel.ftrace_enabled=1"
    return limited(name, "off", cost, remedy, enabled=False)


def check_config(machine: Machine) -> Finding:
    """List the options that are not set, with what each costs."""
    config = machine.facts.config
    if config is None:
        seen = "no file tells it (/proc/config.gz, /boot/config-*, ...)"
        return unknown("config", seen, "CONFIG_IKCONFIG_PROC=y, or mount /boot")
    version = parse_release(machine.facts.release)
    unset = [
        one
        for one in _OPTIONS
        if parse_release(one.since) <= version and config.get(one.name) is None
    ]
    facts: dict[str, Any] = {"source": config.source, "not_set": [one.name for one in unset]}
    if not unset:
        return good("config", f"all that matters is set in {config.source}", **facts)
    cost = "\n".join(f"{one.name.removeprefix('CONFIG_')}: {one.cost}" for one in unset)
    return limited("config", f"not set in {config.source}:", cost, **facts)
