"""`doctor` on real kernels: its verdicts against what kernel and files say when asked otherwise."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bpfctl.features.doctor import examine
from bpfctl.features.machine import read_machine
from bpfctl.linux.version import kernel_version
from tests.kernel import needs
from tests.kernel.needs import verdicts
from tests.kernel.powers import EVERY, run_with


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    """Return the findings about this machine by name, asked with every capability."""
    written = json.loads(json.dumps(examine(read_machine()).to_json()))
    return {one["name"]: one for one in written["findings"]}


def verdict_of(feature: str) -> str:
    """Return the verdict that an answer of `feature probe` asks for."""
    return {True: "good", False: "limited", None: "cannot-tell"}[verdicts()[feature].available]


def test_root_is_told_everything_but_what_is_not_mounted(ours: dict[str, Any]) -> None:
    """Only securityfs and the configuration may be out of reach."""
    unsure = {name for name, one in ours.items() if one["verdict"] == "cannot-tell"}
    assert unsure <= {"lockdown", "LSM", "config"}
    for name in unsure - {"config"}:
        assert not Path("/sys/kernel/security/lockdown").exists(), name


def test_memlock_against_the_version(ours: dict[str, Any]) -> None:
    assert ours["memlock"]["facts"] == {"counts": kernel_version() < (5, 11, 0)}


def test_against_feature_probe(ours: dict[str, Any]) -> None:
    assert ours["kprobes"]["verdict"] == verdict_of("misc kprobe_attach")
    assert ours["uprobes"]["verdict"] == verdict_of("misc uprobe_attach")
    assert ours["BTF"]["verdict"] == verdict_of("misc kernel_btf")
    fentry = verdicts()["program fentry"]
    refused = fentry.denied and verdicts()["program iter"].available
    expected = "limited" if refused else verdict_of("program fentry")
    assert ours["trampolines"]["verdict"] == expected


def test_refused_trampolines_are_seen(ours: dict[str, Any]) -> None:
    """An EPERM with all capabilities is a limit of the machine; it names what loads instead."""
    one = ours["trampolines"]
    if verdicts()["program fentry"].denied:
        assert one["seen"] == "fentry and lsm refused with EPERM though iter and tp_btf load"
        assert "tp_btf" in one["remedy"]
    else:
        assert one == ours["trampolines"] | {"verdict": "good", "cost": None, "remedy": None}


def mounted(kind: str) -> set[str]:
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return {words[1] for words in lines if words[2] == kind}


@pytest.mark.parametrize(
    ("kind", "name", "fact"), [("bpf", "bpffs", "mounts"), ("cgroup2", "cgroups", "v2")]
)
def test_mounts(kind: str, name: str, fact: str) -> None:
    """Others may mount something meanwhile."""
    before = mounted(kind)
    findings = examine(read_machine()).findings["places"]
    after = mounted(kind)
    (one,) = [one for one in findings if one.name == name]
    assert before & after <= set(one.facts[fact]) <= before | after


def test_against_files(ours: dict[str, Any]) -> None:
    enabled = Path("/proc/sys/net/core/bpf_jit_enable").read_text().strip()
    ftrace = Path("/proc/sys/kernel/ftrace_enabled").read_text().strip()
    assert ours["ftrace"]["facts"] == {"enabled": ftrace == "1"}
    assert ours["JIT"]["facts"]["enabled"] is (enabled != "0")
    assert set(ours["capabilities"]["facts"]["missing"]) <= {"CAP_SYS_RESOURCE"}


def test_active_modules_without_securityfs(ours: dict[str, Any]) -> None:
    """The kernel tells them from Linux 6.8 on; what it says is what securityfs says."""
    from bpfctl.kernel.lsm import list_modules

    asked, listing = list_modules(), Path("/sys/kernel/security/lsm")
    assert (asked is not None) == (kernel_version() >= (6, 8, 0))
    if asked is not None and listing.exists():
        assert sorted(asked) == sorted(listing.read_text().strip().split(","))
    if asked is not None:
        assert sorted(ours["LSM"]["facts"]["active"]) == sorted(asked)


@needs.TOKEN
def test_what_hands_out_tokens(tmp_path: Path) -> None:
    options = "delegate_cmds=prog_load,delegate_progs=xdp"
    subprocess.run(["mount", "-t", "bpf", "-o", options, "tokens", str(tmp_path)], check=True)
    try:
        findings = examine(read_machine()).findings["rights"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    (tokens,) = [one for one in findings if one.name == "tokens"]
    assert tokens.facts["mounts"][str(tmp_path)] == options.split(",")
    assert f"{tmp_path}: delegate_cmds=prog_load, delegate_progs=xdp" in tokens.seen


def test_nobody_is_told_what_cannot_be_told() -> None:
    done = run_with(EVERY - EVERY, ["doctor"])
    assert (done.status, done.said) == (0, "")
    found = {one["name"]: one for one in json.loads(done.written)["findings"]}
    lacking = found["capabilities"]
    assert lacking["verdict"] == "limited"
    assert lacking["seen"] == "without CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN"
    assert lacking["facts"]["missing"] == [
        *("CAP_NET_ADMIN", "CAP_SYS_RESOURCE", "CAP_SYS_ADMIN", "CAP_PERFMON", "CAP_BPF")
    ]
    assert found["trampolines"]["verdict"] == "cannot-tell"
    assert found["memlock"]["verdict"] == "cannot-tell"
    assert found["BTF"]["verdict"] == "good"
