"""Requests for links to probes and places of the network stack, and what refusals mean."""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import (
    AmbiguousError,
    BpfctlError,
    NotFoundError,
    NotSupportedError,
    SyscallError,
    UsageError,
)
from bpfctl.kernel import perf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.flags import AttachFlags
from bpfctl.kernel.uapi import AttachType, Cmd, ProgType
from bpfctl.linux import probe_functions
from bpfctl.linux.function_facts import FunctionFacts
from bpfctl.linux.kconfig import KernelConfig
from bpfctl.objects import (
    attach_explain_probe,
    attach_lacking,
    attach_perf,
    attach_places,
    function_causes,
)
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach import create_link
from bpfctl.objects.attach_perf import hold_event
from tests.fakes.kernel import FakeKernel, memory
from tests.unit.objects.records import prog
from tests.unit.objects.test_binary_places import START, binary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["binary"]  # a fixture


@pytest.fixture
def fd() -> Iterator[Fd]:
    with Fd(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)) as opened:
        yield opened


def numbers(address: int, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}Q", bytes(memory(address, 8 * count))) if address else ()


def attach(fd: Fd, kind: ProgType, target: targets.Target, look: Any) -> Any:
    """Attach, and return what `look` sees of the request while its pointers are good."""
    seen: list[Any] = []
    kernel = FakeKernel()

    def answer(union: Any, size: int) -> int:
        seen.append(look(union.link_create))
        return kernel.new_fd(union, size)

    with kernel.on(Cmd.LINK_CREATE, answer), create_link(fd, prog(kind), target):
        return seen[-1]


LOOKING = (
    Cmd.OBJ_GET_INFO_BY_FD, Cmd.LINK_GET_NEXT_ID, Cmd.LINK_GET_FD_BY_ID, Cmd.PROG_GET_FD_BY_ID,
    Cmd.PROG_QUERY,
)  # fmt: skip


def refused(fd: Fd, kind: ProgType, target: targets.Target, number: int) -> BpfctlError:
    kernel = FakeKernel().on(Cmd.LINK_CREATE, -number)
    for cmd in LOOKING:
        kernel.on(cmd, -errno.EPERM)
    with kernel, pytest.raises(BpfctlError) as caught:
        create_link(fd, prog(kind), target)
    return caught.value


def test_functions_by_their_names(fd: Fd) -> None:
    def look(link: Any) -> tuple[Any, ...]:
        part = link.kprobe_multi
        names = [bytes(memory(at, 2)) for at in numbers(part.syms, part.cnt)]
        return link.attach_type, part.flags, part.addrs, names, numbers(part.cookies, 2)

    target = probes.KprobeMulti(("f", "g"), is_return=True, cookies=(7, 9))
    seen = attach(fd, ProgType.KPROBE, target, look)
    assert seen == (AttachType.TRACE_KPROBE_MULTI, 1, 0, [b"f\0", b"g\0"], (7, 9))


def test_functions_by_a_pattern(fd: Fd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_functions, "functions_matching", lambda _: {16: "f1", 32: "f2"})
    seen = attach(
        fd,
        ProgType.KPROBE,
        probes.KprobeMulti(pattern="f*", is_session=True),
        lambda link: (
            link.attach_type, link.kprobe_multi.syms, numbers(link.kprobe_multi.addrs, 2),
        ),
    )  # fmt: skip
    assert seen == (AttachType.TRACE_KPROBE_SESSION, 0, (16, 32))


def test_places_of_a_file(fd: Fd, binary: str) -> None:
    def look(link: Any) -> tuple[Any, ...]:
        part = link.uprobe_multi
        path = bytes(memory(part.path, len(binary) + 1))
        return link.attach_type, part.flags, part.pid, path, numbers(part.offsets, part.cnt)

    own = os.getpid()
    target = probes.UprobeMulti(binary, ("main", "both"), is_return=True, pid=own)
    seen = attach(fd, ProgType.KPROBE, target, look)
    path = binary.encode() + b"\0"
    assert seen == (AttachType.TRACE_UPROBE_MULTI, 1, own, path, (START, START + 0x20))


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(probes.KprobeMulti(("f", "g"), cookies=(1,)), id="one cookie too few"),
        pytest.param(probes.KprobeMulti(("f",), cookies=(1, 2)), id="one cookie too many"),
    ],
)
def test_as_many_cookies_as_functions(target: probes.KprobeMulti, fd: Fd) -> None:
    with FakeKernel(), pytest.raises(UsageError, match="cookies for"):
        create_link(fd, prog(ProgType.KPROBE), target)


@pytest.mark.parametrize("defrag", [False, True])
def test_netfilter(defrag: bool, fd: Fd) -> None:
    seen = attach(
        fd,
        ProgType.NETFILTER,
        net.Netfilter("ipv6", "postrouting", -7, defrag),
        lambda link: (
            link.netfilter.pf, link.netfilter.hooknum, link.netfilter.priority,
            link.netfilter.flags,
        ),
    )  # fmt: skip
    assert seen == (10, 4, -7, int(defrag))


@pytest.mark.parametrize(
    ("order", "flags", "relative", "revision"),
    [
        pytest.param(net.LAST, 0, 0, 0, id="last"),
        pytest.param(net.Order("before"), AttachFlags.BEFORE, 0, 0, id="first"),
        pytest.param(
            net.Order("after", "link", 5, 9),
            AttachFlags.AFTER | AttachFlags.ID | AttachFlags.LINK, 5, 9, id="after a link",
        ),
        pytest.param(
            net.Order("before", "prog", 6, preorder=True),
            AttachFlags.BEFORE | AttachFlags.ID | AttachFlags.PREORDER, 6, 0, id="before a program",
        ),
    ],
)  # fmt: skip
def test_order(order: net.Order, flags: int, relative: int, revision: int, fd: Fd) -> None:
    seen = attach(
        fd,
        ProgType.SCHED_CLS,
        net.Netkit("lo", AttachType.NETKIT_PEER, order),
        lambda link: (link.flags, link.netkit.relative_id, link.netkit.expected_revision),
    )
    assert seen == (flags, relative, revision)


def test_a_function_of_a_program(fd: Fd) -> None:
    seen = attach(
        fd,
        ProgType.EXT,
        targets.Function(fd.fileno(), 33, "f"),
        lambda link: (link.target_fd, link.target_btf_id, link.attach_type),
    )
    assert seen == (fd.fileno(), 33, 0)


def test_a_cookie_for_what_was_loaded(fd: Fd) -> None:
    seen = attach(
        fd,
        ProgType.TRACING,
        targets.Loaded(AttachType.TRACE_FEXIT, 77),
        lambda link: (link.attach_type, link.tracing.cookie),
    )
    assert seen == (AttachType.TRACE_FEXIT, 77)


@pytest.mark.parametrize("known", [True, None], ids=["has them", "shows no types"])
def test_a_cookie_of_a_typed_tracepoint(
    known: bool | None, fd: Fd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach_lacking, "_has_member", lambda *_: known)
    target = targets.Loaded(AttachType.TRACE_RAW_TP, 77)
    assert attach(fd, ProgType.TRACING, target, lambda link: link.tracing.cookie) == 77


def test_a_cookie_that_would_be_lost(fd: Fd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach_lacking, "_has_member", lambda *_: False)
    with FakeKernel(), pytest.raises(NotSupportedError) as caught:
        create_link(fd, prog(ProgType.TRACING), targets.Loaded(AttachType.TRACE_RAW_TP, 77))
    assert (caught.value.code, caught.value.since) == ("cookie-unsupported", "6.10")


@pytest.mark.parametrize(
    ("target", "kind", "code", "since"),
    [
        pytest.param(
            targets.Loaded(AttachType.TRACE_FENTRY, 7), ProgType.TRACING,
            "cookie-unsupported", "5.19", id="cookie of fentry",
        ),
        pytest.param(
            targets.Cgroup("/", AttachType.CGROUP_INET_EGRESS, net.Order("before")),
            ProgType.CGROUP_SKB, "order-unsupported", "6.17", id="order in a cgroup",
        ),
    ],
)  # fmt: skip
def test_what_a_kernel_lacks(
    target: targets.Target, kind: ProgType, code: str, since: str, fd: Fd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(attach_lacking, "_has_member", lambda *_: False)
    err = refused(fd, kind, target, errno.EINVAL)
    assert isinstance(err, NotSupportedError)
    assert (err.code, err.since) == (code, since)


@pytest.mark.parametrize(
    ("target", "kind", "number", "words"),
    [
        pytest.param(
            net.Netkit("lo", AttachType.NETKIT_PEER, net.Order("after", "prog", 5)),
            ProgType.SCHED_CLS, errno.ENOENT, "prog 5 is not attached there", id="neighbour",
        ),
        pytest.param(
            probes.UprobeMulti("/bin/sh", ("1",)), ProgType.KPROBE, 524,
            "one of the places begins with an instruction that takes no probe", id="no probe",
        ),
        pytest.param(
            targets.Function(3, 4, "f"), ProgType.EXT, errno.EINVAL,
            "the function differs from the one the program was loaded for", id="freplace",
        ),
    ],
)  # fmt: skip
def test_candidates(
    target: targets.Target, kind: ProgType, number: int, words: str, fd: Fd
) -> None:
    err = refused(fd, kind, target, number)
    assert isinstance(err, SyscallError)
    assert err.candidates == [words]


@pytest.mark.parametrize(
    ("target", "kind", "number", "code", "message"),
    [
        pytest.param(
            net.Netkit("lo", AttachType.NETKIT_PEER, net.Order(revision=3)), ProgType.SCHED_CLS,
            errno.ESTALE, "attach-point-changed",
            "what is attached there changed since revision 3", id="revision",
        ),
        pytest.param(
            net.Netfilter("ipv4", "input"), ProgType.NETFILTER, errno.EBUSY,
            "netfilter-priority-taken",
            "netfilter ipv4 input, priority 0 is taken: a hook runs one BPF program for each"
            " priority", id="priority",
        ),
        pytest.param(
            net.Netns(AttachType.SK_LOOKUP), ProgType.SK_LOOKUP, errno.E2BIG, "netns-full",
            "this network namespace (sk_lookup) takes no more programs", id="full",
        ),
        pytest.param(
            net.Netkit("lo", AttachType.NETKIT_PEER), ProgType.SCHED_CLS, errno.ENXIO,
            "not-netkit", "lo is no netkit device", id="no netkit",
        ),
        pytest.param(
            net.Netkit("lo", AttachType.NETKIT_PEER), ProgType.SCHED_CLS, errno.EACCES,
            "not-netkit", "lo is the peer of a netkit pair", id="peer",
        ),
        pytest.param(
            net.Netns(AttachType.SK_LOOKUP, "/dev/null"), ProgType.SK_LOOKUP, errno.EINVAL,
            "not-netns", "this stands for no network namespace", id="no namespace",
        ),
        pytest.param(
            net.Netns(AttachType.SK_LOOKUP), ProgType.FLOW_DISSECTOR, errno.EINVAL,
            "attach-program-type",
            "cannot attach to this network namespace (sk_lookup): that takes programs of type"
            " sk_lookup, not flow_dissector", id="another type",
        ),
    ],
)  # fmt: skip
def test_what_a_place_of_the_network_refuses(
    target: targets.Target, kind: ProgType, number: int, code: str, message: str, fd: Fd
) -> None:
    err = refused(fd, kind, target, number)
    assert (err.code, err.message) == (code, message)


def test_a_neighbour_that_is_nowhere(fd: Fd) -> None:
    kernel = FakeKernel().on(Cmd.LINK_CREATE, -errno.ENOENT)
    kernel.on(Cmd.LINK_GET_FD_BY_ID, -errno.ENOENT)
    target = net.Netkit("lo", AttachType.NETKIT_PEER, net.Order("after", "link", 5))
    with kernel, pytest.raises(NotFoundError, match="there is no link 5 to be next to"):
        create_link(fd, prog(ProgType.SCHED_CLS), target)


def test_programs_of_another_type(fd: Fd) -> None:
    err = refused(fd, ProgType.XDP, probes.KprobeMulti(("f",)), errno.EINVAL)
    assert isinstance(err, UsageError)
    assert err.code == "attach-program-type"


LACKS = "this kernel does not support"
ONE = FunctionFacts("f", ("",))
COPIES = FunctionFacts("g", (), ("g.isra.0", "g.constprop.0", "g.part.0", "g.cold"))
RENAMED = "the compiler left no g in this kernel, only g.isra.0, g.constprop.0, g.part.0 and 1 more"


@pytest.mark.parametrize(
    ("found", "facts", "untraced", "expected"),
    [
        pytest.param(
            {"f": {1}},
            FunctionFacts("g", ()),
            None,
            (NotFoundError, "no-such-function", "this kernel has no function g"),
            id="one is missing",
        ),
        pytest.param(
            {"f": {1}}, COPIES, None, (NotFoundError, "function-renamed", RENAMED), id="copies"
        ),
        pytest.param(
            {"f": {1, 2}, "g": {3}}, ONE, None,
            (SyscallError, "syscall-failed", None), id="ambiguous",
        ),
        pytest.param(
            {"f": {1}, "g": {3}}, ONE, ["g"],
            (NotSupportedError, "function-not-traceable", f"{LACKS} tracing of g"), id="notrace",
        ),
        pytest.param(
            {"f": {1}, "g": {3}}, ONE, None, (SyscallError, "syscall-failed", None), id="no list"
        ),
        pytest.param(
            None, ONE, None, (SyscallError, "syscall-failed", None), id="symbols cannot be read"
        ),
    ],
)  # fmt: skip
def test_one_of_many_functions(
    found: dict[str, Any] | None, facts: FunctionFacts, untraced: list[str] | None,
    expected: tuple[type, str, str | None], fd: Fd, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(attach_explain_probe, "addresses_of", lambda _: found)
    monkeypatch.setattr(attach_explain_probe, "function_facts", lambda _: facts)
    monkeypatch.setattr(attach_explain_probe, "without_entries", lambda _: untraced)
    monkeypatch.setattr(function_causes, "near_functions", lambda _: [])
    err = refused(fd, ProgType.KPROBE, probes.KprobeMulti(("f", "g")), errno.ESRCH)
    assert (type(err), err.code, expected[2] and err.message) == expected
    if found == {"f": {1, 2}, "g": {3}}:
        assert err.evidence == ["2 functions are called f"]


def perf_refuses(number: int) -> Any:
    def opens(*_: object, **__: object) -> Fd:
        raise SyscallError(number, "perf_event_open", "open a probe on f")

    return opens


@pytest.mark.parametrize(
    ("number", "facts", "offset", "expected", "candidates"),
    [
        pytest.param(
            errno.ENOENT, FunctionFacts("f", ()), 0, (NotFoundError, "no-such-function"), [],
            id="none",
        ),
        pytest.param(
            errno.EADDRNOTAVAIL, FunctionFacts("f", ("", "kvm")), 0,
            (AmbiguousError, "ambiguous-function"), [], id="two",
        ),
        pytest.param(
            errno.EINVAL, FunctionFacts("f", ("",), probes_refused=True), 0,
            (NotSupportedError, "kprobe-blacklisted"), [], id="blacklisted",
        ),
        pytest.param(
            errno.EINVAL, FunctionFacts("f", ("",), traceable=False), 0,
            (NotSupportedError, "function-not-traceable"), [], id="notrace",
        ),
        pytest.param(
            errno.EINVAL, ONE, 0, (SyscallError, "syscall-failed"),
            ["f may be one that takes no probes"], id="nothing tells",
        ),
        pytest.param(
            errno.EILSEQ, ONE, 3, (UsageError, "probe-offset-inside"), [],
            id="inside of an instruction",
        ),
        pytest.param(
            errno.EINVAL, ONE, 64, (UsageError, "probe-offset-outside"), [], id="behind the end"
        ),
        pytest.param(
            errno.ENOENT, ONE, 64, (UsageError, "probe-offset-outside"), [], id="behind all"
        ),
        pytest.param(
            errno.EINVAL, ONE, 4, (SyscallError, "syscall-failed"),
            ["no instruction begins at offset 0x4"], id="somewhere within",
        ),
        pytest.param(
            errno.EACCES, FunctionFacts("f", None), 0, (SyscallError, "syscall-failed"), [],
            id="not allowed",
        ),
    ],
)  # fmt: skip
def test_a_function_that_takes_no_probe(
    number: int, facts: FunctionFacts, offset: int, expected: tuple[type, str],
    candidates: Sequence[str], fd: Fd, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(attach_explain_probe, "function_facts", lambda _: facts)
    monkeypatch.setattr(function_causes, "near_functions", lambda _: [])
    monkeypatch.setattr(function_causes, "function_size", lambda _: 64)
    monkeypatch.setattr(attach_perf, "pmu_number", {"kprobe": 8}.get)
    monkeypatch.setattr(perf, "open_kprobe", perf_refuses(number))
    with FakeKernel(), pytest.raises(BpfctlError) as caught:
        create_link(fd, prog(ProgType.KPROBE), probes.Kprobe("f", offset))
    assert (type(caught.value), caught.value.code) == expected
    assert caught.value.candidates == candidates


@pytest.mark.parametrize(
    ("config", "evidence", "candidates"),
    [
        pytest.param(
            KernelConfig("/boot/config", {}), ["/boot/config says CONFIG_KPROBES is not set"], [],
            id="not set",
        ),
        pytest.param(KernelConfig("", {"CONFIG_KPROBES": "y"}), [], [], id="hidden"),
        pytest.param(
            None, [], ["the kernel was built without CONFIG_KPROBES"], id="nobody knows"
        ),
    ],
)  # fmt: skip
def test_a_kernel_without_kprobes(
    config: KernelConfig | None, evidence: list[str], candidates: list[str], fd: Fd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(attach_perf, "pmu_number", lambda _: None)
    monkeypatch.setattr(function_causes, "kernel_config", lambda: config)
    with FakeKernel(), pytest.raises(NotSupportedError, match="kprobe") as caught:
        create_link(fd, prog(ProgType.KPROBE), probes.Kprobe("f"))
    first = "there is no /sys/bus/event_source/devices/kprobe"
    assert (caught.value.code, caught.value.evidence) == ("probes-unsupported", [first, *evidence])
    assert caught.value.candidates == candidates


def test_an_event_that_a_program_does_not_fit_is_closed(
    fd: Fd, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = fd.duplicate()

    def refuse(*_: object) -> None:
        raise SyscallError(errno.EINVAL, "PERF_EVENT_IOC_SET_BPF", "attach to a perf event")

    monkeypatch.setattr(attach_perf, "open_event", lambda _: opened)
    monkeypatch.setattr(perf, "set_bpf", refuse)
    with pytest.raises(SyscallError):
        hold_event(fd, probes.Kprobe("f"))
    assert opened.closed


def test_a_held_event_has_no_cookie(fd: Fd) -> None:
    with pytest.raises(NotSupportedError) as caught:
        hold_event(fd, probes.Kprobe("f", cookie=1))
    assert caught.value.since == "5.15"


def test_a_process_that_is_gone(fd: Fd, binary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach_perf, "pmu_number", lambda _: 9)
    with FakeKernel(), pytest.raises(NotFoundError) as caught:
        create_link(fd, prog(ProgType.KPROBE), probes.Uprobe(binary, "main", pid=(1 << 31) - 1))
    assert caught.value.code == "no-such-process"


def test_a_network_namespace_that_is_not_there(fd: Fd) -> None:
    target = net.Netns(AttachType.SK_LOOKUP, "/nowhere/ns")
    with FakeKernel(), pytest.raises(BpfctlError) as caught:
        create_link(fd, prog(ProgType.SK_LOOKUP), target)
    assert caught.value.code == "no-netns"


def test_an_interface_that_is_not_there() -> None:
    with pytest.raises(NotFoundError) as caught:
        attach_places.find_interface("none-such-0")
    assert caught.value.code == "no-such-interface"
