"""The words that say which probe to attach to."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from bpfctl.commands.link_words import parse_target

from bpfctl.errors import UsageError
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.linux.syscalls import syscall_function
from bpfctl.objects.attach_probe_targets import (
    Kprobe,
    KprobeMulti,
    PerfEvent,
    TracingMulti,
    Uprobe,
    UprobeMulti,
    Usdt,
)
from bpfctl.objects.attach_targets import Loaded, RawTracepoint, Tracepoint
from tests.unit.objects.records import prog

if TYPE_CHECKING:
    from bpfctl.objects.attach_targets import Target


def parse(words: str) -> Target:
    with ExitStack() as stack:
        target: Target = parse_target(words.split(), prog(ProgType.KPROBE), stack)
    return target


@pytest.mark.parametrize(
    ("words", "expected", "text"),
    [
        pytest.param("kprobe f", Kprobe("f"), "kprobe f", id="kprobe"),
        pytest.param("kprobe f+0x1c", Kprobe("f", 28), "kprobe f+0x1c", id="offset"),
        pytest.param(
            "kretprobe f cookie 0x10", Kprobe("f", 0, True, 16), "kretprobe f", id="return"
        ),
        pytest.param(
            "uprobe /bin/a:main+4 pid 7 cookie 9",
            Uprobe("/bin/a", "main", 4, pid=7, cookie=9),
            "uprobe /bin/a:main+0x4",
            id="uprobe",
        ),
        pytest.param(
            "uretprobe libc.so.6:f", Uprobe("libc.so.6", "f", is_return=True),
            "uretprobe libc.so.6:f", id="return in a file",
        ),
        pytest.param("uprobe /a:0x40", Uprobe("/a", "", 64), "uprobe /a:0x40", id="absolute"),
        pytest.param(
            "kprobe.multi a,b cookies 1,2",
            KprobeMulti(("a", "b"), cookies=(1, 2)),
            "kprobe.multi a,b",
            id="names",
        ),
        pytest.param(
            "fexit.multi a,b cookies 1,2",
            TracingMulti(AttachType.TRACE_FEXIT_MULTI, ("a", "b"), cookies=(1, 2)),
            "fexit.multi a,b",
            id="traced names",
        ),
        pytest.param(
            "fsession.multi x*", TracingMulti(AttachType.TRACE_FSESSION_MULTI, pattern="x*"),
            "fsession.multi x*", id="traced pattern",
        ),
        pytest.param(
            "kretprobe.multi tcp_*", KprobeMulti(pattern="tcp_*", is_return=True),
            "kretprobe.multi tcp_*", id="pattern",
        ),
        pytest.param(
            "kprobe.session f", KprobeMulti(("f",), is_session=True), "kprobe.session f",
            id="session",
        ),
        pytest.param(
            "uprobe.multi /a:f?o pid 3",
            UprobeMulti("/a", pattern="f?o", pid=3),
            "uprobe.multi /a:f?o",
            id="pattern in a file",
        ),
        pytest.param(
            "uretprobe.multi /a:f cookies 0x5",
            UprobeMulti("/a", ("f",), is_return=True, cookies=(5,)),
            "uretprobe.multi /a:f",
            id="return of many",
        ),
        pytest.param(
            "uprobe.session /a:f", UprobeMulti("/a", ("f",), is_session=True),
            "uprobe.session /a:f", id="session in a file",
        ),
        pytest.param(
            "usdt /bin/a:own:probe pid 3 cookie 4", Usdt("/bin/a", "own", "probe", 3, 4),
            "static probe /bin/a:own:probe", id="static probe",
        ),
        pytest.param(
            "ksyscall bpf", Kprobe(syscall_function("bpf")), f"kprobe {syscall_function('bpf')}",
            id="system call",
        ),
        pytest.param(
            "kretsyscall bpf cookie 2", Kprobe(syscall_function("bpf"), 0, True, 2),
            f"kretprobe {syscall_function('bpf')}", id="return of a system call",
        ),
        pytest.param(
            "perf_event cycles period 10 cpu all cookie 3",
            PerfEvent("cycles", 0, 0, period=10, cookie=3, every_cpu=True),
            "perf event cycles on every CPU", id="every CPU",
        ),
        pytest.param(
            "perf_event cycles freq 99 cpu 0 pid 5",
            PerfEvent("cycles", 0, 0, freq=99, cpu=0, pid=5),
            "perf event cycles of process 5 on CPU 0",
            id="counter",
        ),
        pytest.param(
            "perf_event 4/0x1c2 period 7 cpu 1 cookie 3",
            PerfEvent("4/0x1c2", 4, 0x1C2, period=7, cpu=1, cookie=3),
            "perf event 4/0x1c2 on CPU 1",
            id="counter in numbers",
        ),
        pytest.param(
            "fentry cookie 5", Loaded(AttachType.TRACE_FENTRY, 5),
            "the target that the program was loaded for", id="fentry",
        ),
        pytest.param("raw_tp x cookie 5", RawTracepoint("x", 5), "raw tracepoint x", id="raw_tp"),
        pytest.param("tp a/b cookie 5", Tracepoint("a", "b", 5), "tracepoint a/b", id="tp"),
    ],
)  # fmt: skip
def test_forms(words: str, expected: Target, text: str) -> None:
    assert parse(words) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param("kprobe", "expected kprobe FUNCTION", id="no function"),
        pytest.param("kprobe +4", "expected kprobe FUNCTION", id="only an offset"),
        pytest.param("kprobe f+x", '"x" is no offset', id="no number"),
        pytest.param("kretprobe f+4", "no offset there", id="offset of a return"),
        pytest.param("kprobe f cookie", '"cookie" wants a number', id="no cookie"),
        pytest.param("kprobe f cookie -1", '"-1" is no cookie', id="negative"),
        pytest.param("kprobe f cookie 0x10000000000000000", "is no cookie", id="65 bits"),
        pytest.param("kprobe f cookie 1_0", "is no cookie", id="Python's form"),
        pytest.param("kprobe f pid 7", '"pid" is not expected', id="pid of a kprobe"),
        pytest.param("kprobe f cookie 1 cookie 2", '"cookie" is not expected', id="twice"),
        pytest.param("uprobe f", "names no place in a file", id="no file"),
        pytest.param("uprobe /a:", "names no place in a file", id="no place"),
        pytest.param("uprobe /a:f pid 0", '"0" is no pid', id="pid 0"),
        pytest.param("usdt own:probe", "expected usdt BINARY", id="no file of a static probe"),
        pytest.param("ksyscall", "expected ksyscall NAME", id="no system call"),
        pytest.param("kprobe.multi a,,b", "a comma too many", id="commas"),
        pytest.param("kprobe.multi a cookies 1,x", '"x" is no cookie', id="cookies"),
        pytest.param("kprobe.multi a cookies", '"cookies" is not expected', id="no cookies"),
        pytest.param("perf_event cycles cpu 0", "say how often", id="never"),
        pytest.param("perf_event cycles freq 1 period 1 cpu 0", "say how often", id="two ways"),
        pytest.param("perf_event cycles freq 1", "say where", id="nowhere"),
        pytest.param("perf_event cycels freq 1 cpu 0", "is no perf event", id="no event"),
        pytest.param(
            f"perf_event {1 << 32}/1 freq 1 cpu 0", "is no perf event", id="beyond all types"
        ),
        pytest.param(
            f"perf_event 1/{1 << 64} freq 1 cpu 0", "is no perf event", id="beyond all events"
        ),
        pytest.param(
            f"perf_event cpu-clock period {1 << 63} cpu 0", "is no period", id="beyond all periods"
        ),
        pytest.param(f"uprobe /a:f+{1 << 63}", "is no offset", id="beyond all offsets"),
        pytest.param("freplace name", "wants a name", id="no program"),
    ],
)
def test_mistakes(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(words)
