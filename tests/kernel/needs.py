"""What kernel tests need: each feature once, with the first version that has it and its probe.

A test says `@needs.TCX`. The probe decides, never the version; where both disagree on any kernel,
`test_needs` fails. What the kernel denies or lacks, skips the test with the probe's reason.
"""

from __future__ import annotations

import errno
import os
import subprocess
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from bpfctl.asm.insn import Insn, encode
from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.reader import parse_object
from bpfctl.errors import NotFoundError, VerifierError
from bpfctl.features.probe import probe_kernel
from bpfctl.features.prober import Prober
from bpfctl.features.verdict import available, errno_name, not_available
from bpfctl.kernel.attr_link import prog_detach
from bpfctl.kernel.attr_prog import btf_load
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.linux.kallsyms import addresses_of
from bpfctl.linux.kconfig import kernel_config
from bpfctl.linux.version import kernel_version, parse_release
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.loader.pipeline import load
from bpfctl.objects.btf import KERNEL_FILE
from tests.builders.elf import ALLOC, ElfBuilder
from tests.kernel.powers import keep_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.features.verdict import Verdict

DECLARED: list[Need] = []
EXIT = Insn(0x95)
_NO_DEVICE = 0x7FFF_FFF0


@dataclass(frozen=True)
class Need:
    """A feature, the first mainline version that has it, and how to ask for it."""

    feature: str
    since: str
    ask: Callable[[], Verdict]

    @property
    def complaint(self) -> str:
        """Why tests that need it cannot run here; empty where they can."""
        verdict = self.ask()
        if verdict.available:
            return ""
        return f"needs {self.feature} (Linux {self.since}): {verdict.reason}"


def contradiction(verdict: Verdict, since: str) -> str:
    """Say how a verdict contradicts a first version; empty where it does not.

    A newer kernel may lack what its configuration leaves out, and may deny us the answer.
    """
    new_enough = kernel_version() >= parse_release(since)
    if verdict.available and not new_enough:
        return f"available, but since {since} only"
    unset = verdict.reason.startswith("CONFIG_") and verdict.reason.endswith(" is not set")
    if verdict.available is False and new_enough and not unset:
        return f"not available ({verdict.reason}), but since {since}"
    if verdict.available is None and not verdict.denied:
        return f"cannot tell: {verdict.reason}"
    return ""


def needs(feature: str, *, since: str, probe: Callable[[], Verdict]) -> pytest.MarkDecorator:
    """Declare a need and return the mark for the tests that have it."""
    need = Need(feature, since, cache(probe))
    DECLARED.append(need)
    return pytest.mark.needs(need)


@cache
def verdicts() -> dict[str, Verdict]:
    """Return what `feature probe` says of this kernel, by group and name ("link tcx")."""
    return {f"{group} {name}": verdict for group, name, verdict in probe_kernel().verdicts()}


def told(name: str) -> Callable[[], Verdict]:
    """Ask as `feature probe` does."""
    return lambda: verdicts()[name]


def typed(name: str, part: str = "") -> Callable[[], Verdict]:
    """Ask the kernel's own types whether they have one, and in it a member or value."""

    def ask() -> Verdict:
        btf = Prober().kernel_btf
        assert btf is not None
        for number in btf.find_all(name, (t.Kind.STRUCT, t.Kind.UNION, t.Kind.ENUM)):
            found = btf.type(number)
            assert isinstance(found, t.Struct | t.Enum)
            inside = found.members if isinstance(found, t.Struct) else found.values
            if not part or part in [one.name for one in inside]:
                return available()
        return not_available(f"its types have no {' '.join((name, part)).strip()}")

    return ask


def both(*probes: Callable[[], Verdict]) -> Callable[[], Verdict]:
    """Ask one after the other, until one is no plain yes."""

    def ask() -> Verdict:
        answers = (replace(probe(), since="") for probe in probes)  # each has its own
        return next((answer for answer in answers if not answer.available), available())

    return ask


def holds(name: str, field: str) -> Callable[[], Verdict]:
    """Ask the kernel's own types for a field of a union, in anonymous structs too."""

    def ask() -> Verdict:
        btf = Prober().kernel_btf
        assert btf is not None
        union = btf.find(name, t.Kind.UNION)
        if union is not None and btf.member(union, field):
            return available()
        return not_available(f"union {name} has no {field}")

    return ask


def calls(name: str) -> Callable[[], Verdict]:
    """Ask the kernel's own types whether they have a function."""

    def ask() -> Verdict:
        btf = Prober().kernel_btf
        assert btf is not None
        if btf.find(name, t.Kind.FUNC) is not None:
            return available()
        return not_available(f"its types have no function {name}")

    return ask


def lists(name: str) -> Callable[[], Verdict]:
    """Ask the kernel's types and /proc/kallsyms for a variable."""

    def ask() -> Verdict:
        btf = Prober().kernel_btf
        assert btf is not None
        if btf.find(name, t.Kind.VAR) is None:
            return not_available(f"its types have no variable {name}")
        if addresses_of([name]):
            return available()
        return not_available("CONFIG_KALLSYMS_ALL is not set")

    return ask


def in_module(function: str, module: str, option: str) -> Callable[[], Verdict]:
    """Load a module, where the kernel has it, and ask its types for a function."""

    def ask() -> Verdict:
        config = kernel_config()
        if config is not None and config.get(option) is None:
            return not_available(f"{option} is not set")
        subprocess.run(["modprobe", "-q", module], check=False)
        types = [one.btf for one in KernelBtf(KERNEL_FILE).modules if one.name == module]
        if any(one.find(function, t.Kind.FUNC) is not None for one in types):
            return available()
        return not_available(f"module {module} has no function {function}")

    return ask


def refuses(section: str) -> Callable[[], Verdict]:
    """Ask the verifier to refuse a program for the function in its section."""

    def ask() -> Verdict:
        builder = ElfBuilder()
        builder.function("watch", section)
        builder.section("license", b"GPL\0", flags=ALLOC)
        try:
            load(parse_object(builder.build(), "watch.bpf.o")).close()
        except VerifierError:
            return available()
        except NotFoundError as err:
            return not_available(err.message)
        return not_available(f"it takes {section}")

    return ask


def guards_tcx() -> Verdict:
    """Whether who detaches from tcx without naming a program has to have a capability.

    Asked of a device that is not there, which is looked for afterwards.
    """
    child = os.fork()
    if not child:
        number = errno.EIO
        try:
            keep_only(())
            away = prog_detach(attach_type=AttachType.TCX_INGRESS, target_ifindex=_NO_DEVICE)
            number = -try_bpf(away)
        finally:
            os._exit(number)
    _, how = os.waitpid(child, 0)
    number = os.waitstatus_to_exitcode(how)
    return available() if number == errno.EPERM else not_available(errno_name(number))


def has_actions() -> Verdict:
    """Ask whether the kernel was built with actions of tc that are programs; load their module."""
    config = kernel_config()
    if config is not None and config.get("CONFIG_NET_ACT_BPF") is None:
        return not_available("CONFIG_NET_ACT_BPF is not set")
    subprocess.run(["modprobe", "-q", "act_bpf"], check=False)
    return available()


def has_module_types() -> Verdict:
    """Ask whether a loaded module has types, where there may be modules."""
    if KernelBtf(KERNEL_FILE).modules:
        return available()
    config = kernel_config()
    if config is not None and config.get("CONFIG_MODULES") is None:
        return not_available("CONFIG_MODULES is not set")
    return not_available("no module with types is loaded")


def runs(*insns: Insn) -> Callable[[], Verdict]:
    """Ask the verifier to take a program of some instructions."""

    def ask() -> Verdict:
        with Prober() as prober:
            code = encode([Insn(0xB7), *insns, Insn(0xB7), EXIT])
            number, log = prober.load(ProgType.SOCKET_FILTER, code=code)
        said = [line for line in log.splitlines() if not line.startswith("processed ")]
        reason = ": ".join([errno_name(number), *said[-1:]])
        return available() if not number else not_available(reason)

    return ask


def reports() -> Verdict:
    """Ask the verifier whether it explains what it refuses: r0 = r3, which nothing set."""
    with Prober() as prober:
        code = encode([Insn(0xBF, 0, 3), EXIT])
        _, log = prober.load(ProgType.SOCKET_FILTER, code=code)
    found = "Verification failed:" in log
    return available() if found else not_available("its log says what is wrong in one line")


def takes(*types: t.Type) -> Callable[[], Verdict]:
    """Ask the kernel to take type information."""

    def ask() -> Verdict:
        builder = BtfBuilder()
        builder.add_all(types)
        with Prober() as prober:
            result = prober.call(btf_load(builder.build()))
        if result < 0:
            return not_available(f"the kernel answers {errno_name(-result)}")
        Fd(result).close()
        return available()

    return ask


ACT_BPF = needs("actions of tc", since="4.1", probe=has_actions)
ARENA = needs("arenas", since="6.9", probe=told("map arena"))
BLOOM_FILTER = needs("bloom filters", since="5.16", probe=told("map bloom_filter"))
EXCLUSIVE = needs("exclusive maps", since="6.18", probe=holds("bpf_attr", "excl_prog_hash"))
CGROUP_STORAGE = needs("storage of cgroups", since="6.2", probe=told("map cgrp_storage"))
NETFILTER_LINK = needs("netfilter links", since="6.4", probe=told("link netfilter"))
FEXIT = needs("fexit", since="5.5", probe=told("program fexit"))
FMOD_RET = needs("fmod_ret", since="5.7", probe=told("program fmod_ret"))
FREPLACE = needs("freplace", since="5.6", probe=told("program freplace"))
KPROBE = needs("kprobes", since="4.17", probe=told("misc kprobe_attach"))
KPROBE_MULTI = needs("kprobe_multi links", since="5.18", probe=told("link kprobe_multi"))
KPROBE_SESSION = needs("kprobe_session links", since="6.10", probe=told("link kprobe_session"))
LSM = needs("LSM programs", since="5.7", probe=told("program lsm"))
LSM_CGROUP = needs("LSM programs of cgroups", since="6.0", probe=told("program lsm_cgroup"))
NETKIT = needs("netkit links", since="6.7", probe=told("link netkit"))
PERF_LINK = needs("links to perf events", since="5.15", probe=told("link perf_event"))
SK_LOOKUP = needs("sk_lookup", since="5.9", probe=told("program sk_lookup"))
SOCKMAP_LINK = needs("links to sockmaps", since="6.10", probe=told("link sockmap"))
SYSCALL_PROGRAM = needs("syscall programs", since="5.14", probe=told("program syscall"))
STRUCT_OPS = needs("struct_ops", since="5.6", probe=told("map struct_ops"))
STRUCT_OPS_LINK = needs(
    "links of struct_ops", since="6.4", probe=typed("bpf_attach_type", "BPF_STRUCT_OPS")
)
TCX = needs("tcx links", since="6.6", probe=told("link tcx"))
# "bpf: Require CAP_NET_ADMIN to detach programs from tcx devices", in stable kernels from 6.18 on.
TCX_GUARD = needs(
    "a capability to detach from tcx", since="6.18", probe=both(told("link tcx"), guards_tcx)
)
TRAMPOLINES = needs("trampolines", since="5.5", probe=told("program fentry"))
# "bpf: Reject attaching fexit/fmod_ret to __noreturn functions" (Linux 6.15, stable ones from 6.12
# on), "bpf: Add deny list of btf ids check for tracing programs"; kernel/bpf/verifier.c.
NO_RETURN = needs(
    "a refusal of fexit on functions that never return",
    since="6.12",
    probe=both(told("program fexit"), refuses("fexit/do_exit")),
)
DENY_LIST = needs(
    "a list of functions that programs cannot be attached to",
    since="5.13",
    probe=both(told("program fentry"), refuses("fentry/migrate_disable")),
)
TRACING_MULTI = needs("tracing_multi links", since="7.2", probe=told("link tracing_multi"))
UPROBE_MULTI = needs("uprobe_multi links", since="6.6", probe=told("link uprobe_multi"))
UPROBE = needs("uprobes", since="4.17", probe=told("misc uprobe_attach"))
UPROBE_SESSION = needs("uprobe_session links", since="6.13", probe=told("link uprobe_session"))

COMMON_ATTRS = needs("words of bpf(2)", since="7.2", probe=typed("bpf_common_attr"))
TOKEN = needs("tokens", since="6.9", probe=typed("bpf_cmd", "BPF_TOKEN_CREATE"))
XDP_FEATURES = needs("features of XDP drivers", since="6.3", probe=typed("netdev_xdp_act"))
CALLBACKS = needs(
    "callbacks", since="5.13", probe=typed("bpf_func_id", "BPF_FUNC_for_each_map_elem")
)
ARG_TAGS = needs("tags of arguments", since="6.8", probe=typed("bpf_subprog_arg_info"))
INSN_ARRAY = needs("jump tables", since="6.19", probe=typed("bpf_insn_array_value"))
EXCEPTIONS = needs("exceptions", since="6.7", probe=typed("bpf_prog_aux", "exception_cb"))
CGROUP_ORDER = needs(
    "an order of the programs in a cgroup", since="6.17", probe=typed("cgroup_bpf", "revisions")
)
CGROUP_ITER = needs(
    "iterators over cgroups", since="6.1", probe=typed("bpf_iter_link_info", "cgroup")
)
COMMON_ATTR = needs("logs of all commands", since="7.2", probe=typed("bpf_common_attr"))
PERF_LINK_INFO = needs(
    "information on links to perf events", since="6.6", probe=typed("bpf_perf_event_type")
)
FUNCTION_COOKIE = needs(
    "cookies of fentry and its like", since="5.19", probe=typed("bpf_tramp_run_ctx", "bpf_cookie")
)
RAW_COOKIE = needs(
    "cookies of raw tracepoints", since="6.10", probe=typed("bpf_raw_tp_link", "cookie")
)
KPROBE_MULTI_INFO = needs(
    "information on kprobe_multi links",
    since="6.6",
    probe=both(told("link kprobe_multi"), typed("bpf_perf_event_type")),
)
PROG_TARGET_INFO = needs(
    "what a program is to be attached to, in its information",
    since="6.0",
    probe=typed("bpf_prog_info", "attach_btf_obj_id"),
)
# Older kernels left variables out of their types (--skip_encoding_btf_vars of pahole below 1.22).
VARIABLES = needs("variables with types", since="5.15", probe=lists("runqueues"))
FOU_KFUNCS = needs(
    "functions of module fou",
    since="6.4",
    probe=in_module("bpf_skb_set_fou_encap", "fou", "CONFIG_NET_FOU"),
)
MODULE_TYPES = needs("types of modules", since="5.11", probe=has_module_types)
TASK_KFUNCS = needs("functions about tasks", since="6.2", probe=calls("bpf_task_from_pid"))
TASK_ITER = needs(
    "iterators over one process", since="6.1", probe=typed("bpf_iter_link_info", "task")
)
VERIFIER_REPORT = needs("explanations of the verifier", since="7.3", probe=reports)
VMLINUX_OBJECT = needs(
    "the kernel's own type information as an object",
    since="5.11",
    probe=typed("bpf_btf_info", "kernel_btf"),
)

EMPTY_DATASEC = needs(
    "sections without variables", since="5.12", probe=takes(t.Datasec(1, ".empty", 8, ()))
)
ENUM64 = needs(
    "enum64",
    since="6.0",
    probe=takes(t.Enum(1, "wide", 8, False, (t.EnumValue("most", 1 << 40),), is64=True)),
)

# r1 = 0; *(u64 *)(r10 - 8) = 0, and then what only some kernels can.
_SETUP = (Insn(0xB7, 1), Insn(0x7A, 10, off=-8))
ATOMICS = needs(
    "atomic instructions with a result",
    since="5.12",
    probe=runs(*_SETUP, Insn(0xDB, 10, 1, off=-8, imm=1)),
)
ISA_V4 = needs("the fourth instruction set", since="6.6", probe=told("misc v4_isa_extension"))
MAY_GOTO = needs("may_goto", since="6.9", probe=runs(Insn(0xE5, off=1)))
ACQUIRE = needs(
    "loads that acquire and stores that release",
    since="6.15",
    probe=runs(*_SETUP, Insn(0xDB, 10, 1, off=-8, imm=0x110)),
)
