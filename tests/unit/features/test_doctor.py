"""What `doctor` decides: each verdict of each check."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.features.doctor import CHECKS, examine
from bpfctl.features.finding import State
from bpfctl.features.machine import Modules
from bpfctl.features.verdict import not_available, unknown
from bpfctl.linux.kconfig import KernelConfig
from bpfctl.linux.mounts import Mount
from tests.unit.features.machines import (
    ALL_CAPABILITIES,
    BPFFS,
    CGROUP2,
    DENIED,
    OPTIONS,
    TRACEFS,
    facts,
    machine,
)

if TYPE_CHECKING:
    from bpfctl.features.finding import Finding

GOOD, LIMITED, BAD, UNKNOWN = State.GOOD, State.LIMITED, State.BAD, State.UNKNOWN
FINE = machine()
NO_KPROBES = not_available("CONFIG_KPROBES is not set")
DELEGATING = Mount("/tok", "/", "bpf", 9, ("rw", "delegate_cmds=prog_load", "delegate_maps=any"))


def found(name: str, **changes: Any) -> Finding:
    """Return the finding of that name about a machine."""
    report = examine(machine(**changes))
    return next(one for group in report.findings.values() for one in group if one.name == name)


def config(*unset: str) -> KernelConfig:
    left = {f"CONFIG_{name}": "y" for name in OPTIONS if name not in unset}
    return KernelConfig("/boot/config", left)


def test_all_is_good() -> None:
    report = examine(FINE)
    assert report.count(GOOD) == sum(map(len, CHECKS.values()))
    assert [one.cost for group in report.findings.values() for one in group if one.cost] == []


CASES: list[Any] = [
    ("bpf(2)", {"syscall": unknown("x", errno.EPERM)}, LIMITED, "refused with EPERM", "nothing"),
    ("bpf(2)", {"syscall": not_available("no bpf(2)")}, BAD, "no bpf(2)", "nothing works"),
    ("bpf(2)", {"syscall": unknown("odd")}, UNKNOWN, "odd", ""),
    (
        "bpf(2)",
        {"syscall": unknown("EPERM", errno.EPERM), "facts": facts(seccomp=True)},
        LIMITED,
        "seccomp filter",
        "may be refused",
    ),
    ("capabilities", {"missing": None}, UNKNOWN, "/proc/self/status", ""),
    ("capabilities", {"missing": ALL_CAPABILITIES}, LIMITED, "without CAP_BPF", "cannot be listed"),
    ("capabilities", {"missing": ("CAP_NET_ADMIN",)}, LIMITED, "CAP_NET_ADMIN", "no network"),
    ("capabilities", {"first_userns": False}, LIMITED, "user namespace", "token only"),
    (
        "unprivileged",
        {"facts": facts(sysctls={"unprivileged_bpf_disabled": None, "bpf_jit_enable": 1})},
        UNKNOWN,
        "cannot be read",
        "",
    ),
    (
        "unprivileged",
        {"facts": facts(sysctls={"unprivileged_bpf_disabled": 0, "bpf_jit_enable": 1})},
        GOOD,
        "a few types",
        "",
    ),
    ("unprivileged", {"missing": ("CAP_BPF",)}, LIMITED, "is 2", "no map can be made"),
    ("unprivileged", {"first_userns": False}, LIMITED, "is 2", "no map can be made"),
    ("perf events", {"first_userns": False}, LIMITED, "is 2", "without CAP_PERFMON"),
    ("tracefs", {"mounts": (), "first_userns": False}, LIMITED, "not mounted", "by name"),
    ("tokens", {"mounts": (DELEGATING,)}, GOOD, "/tok: delegate_cmds=prog_load, delegate_m", ""),
    ("tokens", {"first_userns": False}, LIMITED, "no bpffs that delegates", "nothing can be"),
    ("tokens", {"knows_tokens": False}, GOOD, "this kernel has none", ""),
    ("tokens", {"knows_tokens": False, "first_userns": False}, LIMITED, "has none", "nothing"),
    ("lockdown", {"facts": facts(lockdown="integrity")}, LIMITED, "integrity", "write_user"),
    ("lockdown", {"facts": facts(lockdown="confidentiality")}, LIMITED, "conf", "read kernel"),
    ("lockdown", {"facts": facts(lockdown=None)}, UNKNOWN, "cannot be read", ""),
    ("lockdown", {"facts": facts(lockdown=None, lsms=("bpf",))}, GOOD, "not among", ""),
    ("LSM", {"facts": facts(lsms=None)}, UNKNOWN, "cannot be read", ""),
    ("LSM", {"facts": facts(lsms=("yama",))}, LIMITED, "bpf is not active", "never run"),
    (
        "LSM",
        {"facts": facts(lsms=("yama",), config=config("BPF_LSM"))},
        LIMITED,
        "CONFIG_BPF_LSM is not set",
        "no LSM",
    ),
    ("perf events", {"paranoid": None}, UNKNOWN, "cannot be read", ""),
    ("perf events", {"missing": ("CAP_PERFMON",)}, LIMITED, "is 2", "without CAP_PERFMON"),
    (
        "perf events",
        {"paranoid": 3, "missing": ("CAP_SYS_ADMIN",)},
        LIMITED,
        "is 3",
        "without CAP_SYS_ADMIN",
    ),
    ("symbols", {"symbols_hidden": True}, LIMITED, "no addresses", "no names"),
    ("memlock", {"memlock_counts": True}, GOOD, "RLIMIT_MEMLOCK counts", ""),
    ("memlock", {"memlock_counts": None}, UNKNOWN, "no map can be made", ""),
    (
        "BTF",
        {"btf_unknown": {20: 7}},
        LIMITED,
        "passed over, newer than bpfctl: 7 of kind 20",
        "CO-RE",
    ),
    ("BTF", {"btf_error": "there is none"}, BAD, "there is none", "no CO-RE"),
    ("module BTF", {"modules": None}, UNKNOWN, "/proc/modules", ""),
    ("module BTF", {"modules": Modules(0, 0)}, GOOD, "no modules are loaded", ""),
    ("module BTF", {"modules": Modules(3, 1)}, LIMITED, "1 of 3 loaded modules", "no fentry"),
    (
        "JIT",
        {"facts": facts(sysctls={"unprivileged_bpf_disabled": 2, "bpf_jit_enable": None})},
        UNKNOWN,
        "bpf_jit_enable",
        "",
    ),
    (
        "JIT",
        {"facts": facts(sysctls={"unprivileged_bpf_disabled": 2, "bpf_jit_enable": 0})},
        LIMITED,
        "off",
        "interpreted",
    ),
    (
        "JIT",
        {
            "facts": facts(
                sysctls={"unprivileged_bpf_disabled": 2, "bpf_jit_enable": 1, "bpf_jit_harden": 2}
            )
        },
        LIMITED,
        "hardened",
        "blinded",
    ),
    (
        "kprobes",
        {"attach": FINE.attach | {"kprobe_attach": NO_KPROBES}},
        LIMITED,
        "CONFIG_KPROBES",
        "nowhere",
    ),
    (
        "kprobes",
        {"attach": FINE.attach | {"kprobe_attach": unknown("hidden")}},
        UNKNOWN,
        "hidden",
        "",
    ),
    (
        "uprobes",
        {"attach": FINE.attach | {"uprobe_attach": not_available("gone")}},
        LIMITED,
        "gone",
        "user",
    ),
    (
        "trampolines",
        {"programs": FINE.programs | {"fentry": not_available("EINVAL")}},
        LIMITED,
        "fentry: EINVAL",
        "no fentry",
    ),
    (
        "trampolines",
        {"programs": FINE.programs | {"fentry": DENIED, "lsm": DENIED}},
        LIMITED,
        "fentry and lsm refused with EPERM though iter and tp_btf load",
        "freplace",
    ),
    (
        "trampolines",
        {"programs": FINE.programs | dict.fromkeys(("fentry", "iter", "tp_btf"), DENIED)},
        UNKNOWN,
        "EPERM",
        "",
    ),
    (
        "trampolines",
        {"programs": FINE.programs | {"fentry": DENIED}, "missing": ("CAP_PERFMON",)},
        UNKNOWN,
        "EPERM",
        "",
    ),
    ("ftrace", {"ftrace": None}, UNKNOWN, "kernel.ftrace_enabled", ""),
    ("ftrace", {"ftrace": 0}, LIMITED, "off", "fentry, fexit and kprobes"),
    ("config", {"facts": facts(config=None)}, UNKNOWN, "no file tells it", ""),
    (
        "config",
        {"facts": facts(config=config("FPROBE", "NETKIT"))},
        LIMITED,
        "/boot/config",
        "FPROBE: no kprobe.multi; use kprobe or fentry\nNETKIT: no netkit",
    ),
    ("config", {"facts": facts(release="5.10.1", config=config("NETKIT"))}, GOOD, "all that", ""),
    ("bpffs", {"mounts": ()}, LIMITED, "none is mounted", "nothing can be pinned"),
    ("bpffs", {"writable": frozenset()}, LIMITED, "not writable", "nothing can be pinned"),
    (
        "bpffs",
        {"mounts": (Mount("/b", "/", "bpf", 5),), "writable": frozenset({"/b"})},
        LIMITED,
        "/b",
        "tools that expect /sys/fs/bpf",
    ),
    ("tracefs", {"mounts": (Mount("/d", "/", "debugfs", 1),)}, GOOD, "/d/tracing", ""),
    ("tracefs", {"mounts": ()}, GOOD, "nobody else sees", ""),
    ("tracefs", {"mounts": (), "missing": ("CAP_SYS_ADMIN",)}, LIMITED, "not mounted", "by name"),
    ("cgroups", {"mounts": (Mount("/c", "/", "cgroup", 1),)}, LIMITED, "version 1 only", "of vers"),
    ("cgroups", {"mounts": ()}, LIMITED, "none is mounted", "of version 2"),
    ("cgroups", {"mounts": (CGROUP2, Mount("/c", "/", "cgroup", 1))}, GOOD, "version 1 with 1", ""),
]


@pytest.mark.parametrize(
    ("name", "changes", "state", "seen", "cost"),
    [
        pytest.param(*case, id=f"{case[0]}-{case[2].value}-{number}")
        for number, case in enumerate(CASES)
    ],
)
def test_each_verdict(
    name: str, changes: dict[str, Any], state: State, seen: str, cost: str
) -> None:
    one = found(name, **changes)
    assert one.state is state
    assert seen in one.seen
    assert cost in one.cost
    assert bool(one.cost) == (state in (LIMITED, BAD))


def test_every_check_can_say_more_than_good() -> None:
    tried = {case[0] for case in CASES if case[2] is not GOOD}
    names = {one.name for group in examine(FINE).findings.values() for one in group}
    assert tried == names


def test_the_remedy_names_what_loads_here() -> None:
    lacking = FINE.attach | {"kprobe_attach": NO_KPROBES}
    assert found("kprobes", attach=lacking).remedy == "use fentry, tp_btf, raw_tp or tracepoints"
    refused = FINE.programs | {"fentry": DENIED, "tp_btf": DENIED}
    assert found("kprobes", attach=lacking, programs=refused).remedy == "use raw_tp or tracepoints"


def test_the_boot_option_keeps_the_other_modules() -> None:
    assert found("LSM", facts=facts(lsms=("yama", "landlock"))).remedy == (
        "boot with lsm=yama,landlock,bpf"
    )


def test_as_json() -> None:
    written = json.loads(json.dumps(examine(machine(mounts=(BPFFS, TRACEFS))).to_json()))
    assert written["kernel"] == "6.18.44"
    assert written["machine"] == "x86_64"
    assert written["summary"] == {"good": 19, "limited": 1, "bad": 0, "cannot-tell": 0}
    assert written["findings"][-1] == {
        "group": "places",
        "name": "cgroups",
        "verdict": "limited",
        "seen": "none is mounted",
        "cost": "programs attach to cgroups of version 2 only",
        "remedy": "mount -t cgroup2 none /sys/fs/cgroup/unified",
        "facts": {"v2": [], "v1": 0},
    }
