"""From section names to what to attach to."""

from __future__ import annotations

import os

import pytest

from bpfctl.elf.sections import parse_section_name
from bpfctl.linux.syscalls import syscall_function
from bpfctl.loader.attach import section_target
from bpfctl.objects.attach_probe_targets import Kprobe, KprobeMulti, Uprobe, UprobeMulti, Usdt
from bpfctl.objects.attach_targets import Iter, Loaded, RawTracepoint, Tracepoint


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        pytest.param("fentry/f", Loaded(), id="fentry"),
        pytest.param("fentry", Loaded(), id="fentry, target chosen at load"),
        pytest.param("lsm.s/bpf", Loaded(), id="lsm"),
        pytest.param("freplace/f", Loaded(), id="freplace"),
        pytest.param("tp_btf/sched_switch", Loaded(), id="tp_btf"),
        pytest.param("iter/task", Iter(), id="iter"),
        pytest.param("raw_tp/sched_switch", RawTracepoint("sched_switch"), id="raw_tp"),
        pytest.param("raw_tracepoint.w/x", RawTracepoint("x"), id="writable raw_tp"),
        pytest.param("tp/sched/sched_switch", Tracepoint("sched", "sched_switch"), id="tp"),
        pytest.param("kprobe/f+0x10", Kprobe("f", 16), id="kprobe"),
        pytest.param("kretprobe/f", Kprobe("f", is_return=True), id="kretprobe"),
        pytest.param("ksyscall/unlinkat", Kprobe(syscall_function("unlinkat")), id="ksyscall"),
        pytest.param(
            "kretsyscall/bpf", Kprobe(syscall_function("bpf"), is_return=True), id="kretsyscall"
        ),
        pytest.param("kprobe.multi/tcp_*", KprobeMulti(pattern="tcp_*"), id="kprobe.multi"),
        pytest.param("kprobe.multi/f", KprobeMulti(("f",)), id="one of many"),
        pytest.param("kretprobe.multi/f", KprobeMulti(("f",), is_return=True), id="multi return"),
        pytest.param("kprobe.session/f", KprobeMulti(("f",), is_session=True), id="session"),
        pytest.param("uprobe//bin/a:main+4", Uprobe("/bin/a", "main", 4), id="uprobe"),
        pytest.param("uprobe/libc.so.6:0x40", Uprobe("libc.so.6", "", 64), id="absolute"),
        pytest.param("uprobe//a:9x", Uprobe("/a", "9x"), id="a function like a number"),
        pytest.param("uprobe//a:08", Uprobe("/a", "08"), id="no octal numbers"),
        pytest.param(
            f"uprobe//a:{1 << 63}", Uprobe("/a", f"{1 << 63}"), id="a number that is no offset"
        ),
        pytest.param("kprobe/f+08", None, id="an offset that is none"),
        pytest.param(f"kprobe/f+{1 << 63}", None, id="an offset beyond all"),
        pytest.param("uretprobe.s//a:f", Uprobe("/a", "f", is_return=True), id="uretprobe"),
        pytest.param("uprobe.multi//a:f*", UprobeMulti("/a", pattern="f*"), id="uprobe.multi"),
        pytest.param(
            "uretprobe.multi//a:f", UprobeMulti("/a", ("f",), is_return=True), id="multi uretprobe"
        ),
        pytest.param(
            "uprobe.session//a:f", UprobeMulti("/a", ("f",), is_session=True), id="uprobe.session"
        ),
        pytest.param("usdt/app:own:probe", Usdt("app", "own", "probe"), id="usdt"),
        pytest.param("usdt", None, id="usdt without a target"),
        pytest.param("kprobe", None, id="kprobe without a target"),
        pytest.param("tracepoint", None, id="tracepoint without a target"),
        pytest.param("xdp", None, id="xdp"),
        pytest.param("tcx/ingress", None, id="tcx"),
        pytest.param("cgroup/connect4", None, id="cgroup"),
        pytest.param("lsm_cgroup/socket_create", None, id="lsm_cgroup"),
        pytest.param("perf_event", None, id="perf_event"),
        pytest.param("sk_lookup", None, id="sk_lookup"),
        pytest.param("struct_ops/x", None, id="member of struct_ops"),
        pytest.param("syscall", None, id="run on demand"),
    ],
)
def test_section_target(section: str, expected: object) -> None:
    assert section_target(parse_section_name(section)) == expected


@pytest.mark.parametrize(
    ("machine", "symbol"),
    [
        pytest.param("x86_64", "__x64_sys_bpf", id="x86-64"),
        pytest.param("aarch64", "__arm64_sys_bpf", id="arm64"),
        pytest.param("riscv64", "__se_sys_bpf", id="another"),
        pytest.param("", syscall_function("bpf", os.uname().machine), id="this one"),
    ],
)
def test_functions_of_system_calls(machine: str, symbol: str) -> None:
    assert syscall_function("bpf", machine) == symbol
