"""What is asked of the kernel to attach a program, and how refusals are worded."""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import (
    BpfctlError,
    NotFoundError,
    NotSupportedError,
    PathError,
    SyscallError,
    UsageError,
)
from bpfctl.kernel import perf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.flags import AttachFlags, XdpFlags
from bpfctl.kernel.uapi import AttachType, CgroupIterOrder, Cmd, LinkType, ProgType
from bpfctl.linux import cgroups, tracefs
from bpfctl.linux.mounts import Mount
from bpfctl.objects import attach_explain, attach_explain_cgroup
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach import create_link
from bpfctl.objects.attach_net_targets import Order
from tests.fakes.kernel import FakeKernel, memory
from tests.unit.objects.link_structs import answer
from tests.unit.objects.records import prog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECT4 = AttachType.CGROUP_INET4_CONNECT


@pytest.fixture
def fd() -> Iterator[Fd]:
    with Fd(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)) as opened:
        yield opened


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel()


def attach(kernel: FakeKernel, fd: Fd, kind: ProgType | int, target: targets.Target) -> Any:
    """Attach successfully, and return the last request."""
    with kernel, create_link(fd, prog(kind), target):
        return kernel.calls[-1].attr


def refused(
    kernel: FakeKernel, fd: Fd, kind: ProgType | int, target: targets.Target
) -> BpfctlError:
    with kernel, pytest.raises(BpfctlError) as caught:
        create_link(fd, prog(kind), target)
    return caught.value


def test_raw_tracepoint(kernel: FakeKernel, fd: Fd) -> None:
    names: list[bytes] = []

    def open_it(union: Any, size: int) -> int:
        names.append(bytes(memory(union.raw_tracepoint.name, 4)))
        return kernel.new_fd(union, size)

    kernel.on(Cmd.RAW_TRACEPOINT_OPEN, open_it)
    sent = attach(kernel, fd, ProgType.RAW_TRACEPOINT, targets.RawTracepoint("abc"))
    assert (names, sent.raw_tracepoint.prog_fd) == ([b"abc\0"], fd.fileno())


def test_what_it_was_loaded_for_may_be_an_iterator(kernel: FakeKernel, fd: Fd) -> None:
    kernel.on(Cmd.LINK_CREATE, kernel.new_fd)
    sent = attach(kernel, fd, ProgType.TRACING, targets.Loaded())
    assert sent.link_create.attach_type == AttachType.TRACE_ITER


def test_what_it_was_loaded_for_may_be_something_else(kernel: FakeKernel, fd: Fd) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EINVAL).on(Cmd.RAW_TRACEPOINT_OPEN, kernel.new_fd)
    sent = attach(kernel, fd, ProgType.TRACING, targets.Loaded())
    assert (sent.raw_tracepoint.name, sent.raw_tracepoint.prog_fd) == (0, fd.fileno())


def test_an_iterator_that_lacks_its_map_is_not_tried_as_something_else(
    kernel: FakeKernel, fd: Fd
) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EBADF)
    err = refused(kernel, fd, ProgType.TRACING, targets.Loaded())
    assert (type(err), err.code) == (UsageError, "iterator-needs-map")


def test_tracepoint(kernel: FakeKernel, fd: Fd, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    event = kernel.fd()

    def number(category: str, name: str) -> int:
        asked.append((category, name))
        return 316

    def open_event(event_id: int) -> Fd:
        asked.append(event_id)
        return Fd(event)

    monkeypatch.setattr(tracefs, "tracepoint_id", number)
    monkeypatch.setattr(perf, "open_tracepoint", open_event)
    monkeypatch.setattr(perf, "enable", lambda opened: asked.append(opened.fileno()))
    kernel.on(Cmd.LINK_CREATE, kernel.new_fd)
    sent = attach(kernel, fd, ProgType.TRACEPOINT, targets.Tracepoint("sched", "x")).link_create
    assert (sent.target_fd, sent.attach_type) == (event, AttachType.PERF_EVENT)
    assert asked == [("sched", "x"), 316, event]


def test_a_tracepoint_that_cannot_start_is_no_link(
    kernel: FakeKernel, fd: Fd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing may stay attached; nothing_leaks sees a link that stays open."""

    def refuse(event: Fd) -> None:
        raise SyscallError(errno.EIO, "PERF_EVENT_IOC_ENABLE", "start")

    monkeypatch.setattr(tracefs, "tracepoint_id", lambda *_: 316)
    monkeypatch.setattr(perf, "open_tracepoint", lambda _: Fd(kernel.fd()))
    monkeypatch.setattr(perf, "enable", refuse)
    kernel.on(Cmd.LINK_CREATE, kernel.new_fd)
    err = refused(kernel, fd, ProgType.TRACEPOINT, targets.Tracepoint("sched", "x"))
    assert str(err) == "program 60 guard: start: input/output error"


def test_cgroup(kernel: FakeKernel, fd: Fd, tmp_path: Path) -> None:
    kernel.on(Cmd.LINK_CREATE, kernel.new_fd)
    target = targets.Cgroup(str(tmp_path), CONNECT4)
    sent = attach(kernel, fd, ProgType.CGROUP_SOCK_ADDR, target).link_create
    assert (sent.target_fd > 0, sent.attach_type, sent.flags) == (True, CONNECT4, 0)


def test_xdp(kernel: FakeKernel, fd: Fd) -> None:
    kernel.on(Cmd.LINK_CREATE, kernel.new_fd)
    sent = attach(kernel, fd, ProgType.XDP, targets.Xdp("lo", "generic")).link_create
    assert (sent.target_fd, sent.attach_type, sent.flags) == (1, AttachType.XDP, XdpFlags.SKB_MODE)
    assert attach(kernel, fd, ProgType.XDP, targets.Xdp("lo")).link_create.flags == 0


@pytest.mark.parametrize(
    ("place", "flags", "neighbour"),
    [
        pytest.param((), 0, 0, id="anywhere"),
        pytest.param(("before",), AttachFlags.BEFORE, 0, id="first"),
        pytest.param(("after",), AttachFlags.AFTER, 0, id="last"),
        pytest.param(
            ("before", "prog", 7), AttachFlags.BEFORE | AttachFlags.ID, 7, id="before a program"
        ),
        pytest.param(
            ("after", "link", 8),
            AttachFlags.AFTER | AttachFlags.ID | AttachFlags.LINK,
            8,
            id="after a link",
        ),
    ],
)
def test_tcx(
    kernel: FakeKernel, fd: Fd, place: tuple[Any, ...], flags: int, neighbour: int
) -> None:
    kernel.on(Cmd.LINK_CREATE, kernel.new_fd)
    target = targets.Tcx("lo", AttachType.TCX_EGRESS, Order(*place))
    sent = attach(kernel, fd, ProgType.SCHED_CLS, target).link_create
    assert (sent.target_fd, sent.attach_type) == (1, AttachType.TCX_EGRESS)
    assert (sent.flags, sent.tcx.relative_fd) == (flags, neighbour)


def parameters(kernel: FakeKernel, into: list[bytes]) -> Any:
    def link(union: Any, size: int) -> int:
        into.append(bytes(memory(union.link_create.iter_info, union.link_create.iter_info_len)))
        return kernel.new_fd(union, size)

    return link


ITERATORS = [
    pytest.param(
        targets.Iter(tid=7), {"iter.task.tid": 7}, b"task", struct.pack("3I", 7, 0, 0), id="tid"
    ),
    pytest.param(
        targets.Iter(pid=8), {"iter.task.pid": 8}, b"task", struct.pack("3I", 0, 8, 0), id="pid"
    ),
    pytest.param(targets.Iter(map_fd=9), {}, b"bpf_map_elem", struct.pack("I", 9), id="map"),
]


@pytest.mark.parametrize(("target", "told", "name", "packed"), ITERATORS)
def test_iterators(
    kernel: FakeKernel,
    fd: Fd,
    target: targets.Iter,
    told: dict[str, int],
    name: bytes,
    packed: bytes,
) -> None:
    sent: list[bytes] = []
    kernel.on(Cmd.LINK_CREATE, parameters(kernel, sent))
    told = {"type": LinkType.ITER, **told}
    kernel.on(Cmd.OBJ_GET_INFO_BY_FD, answer(told, {"iter.target_name": name}))
    with kernel, create_link(fd, prog(ProgType.TRACING), target):
        assert sent == [packed]


def test_iterator_of_a_cgroup(kernel: FakeKernel, fd: Fd, tmp_path: Path) -> None:
    sent: list[bytes] = []
    kernel.on(Cmd.LINK_CREATE, parameters(kernel, sent))
    told = {"type": LinkType.ITER, "iter.cgroup.cgroup_id": 5}
    kernel.on(Cmd.OBJ_GET_INFO_BY_FD, answer(told, {"iter.target_name": b"cgroup"}))
    target = targets.Iter(cgroup=str(tmp_path), order=CgroupIterOrder.SELF_ONLY)
    with kernel, create_link(fd, prog(ProgType.TRACING), target):
        pass
    order, group, group_id = struct.unpack("IIQ", sent[0])
    assert (order, group > 2, group_id) == (CgroupIterOrder.SELF_ONLY, True, 0)


def test_an_old_kernel_that_ignores_the_pid(kernel: FakeKernel, fd: Fd) -> None:
    kernel.on(Cmd.LINK_CREATE, kernel.new_fd)
    told = answer({"type": LinkType.ITER}, {"iter.target_name": b"task_file"}, filled=32)
    kernel.on(Cmd.OBJ_GET_INFO_BY_FD, told)
    err = refused(kernel, fd, ProgType.TRACING, targets.Iter(pid=8))
    assert isinstance(err, NotSupportedError)
    assert (err.feature, err.since) == ("iterators over one process", "6.1")


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        (b"netlink", targets.Iter(pid=8), "the iterator walks netlink, and takes no pid"),
        (b"task", targets.Iter(map_fd=9), "the iterator walks task, and takes no map"),
        (b"tcp", targets.Iter(map_fd=9), "the iterator walks tcp, and takes no map"),
    ],
    ids=["pid", "map as thread", "map ignored"],
)
def test_a_parameter_of_another_iterator(
    name: bytes, target: targets.Iter, message: str, kernel: FakeKernel, fd: Fd
) -> None:
    """The kernel takes it: the parameters share a union, and some iterators read none."""
    kernel.on(Cmd.LINK_CREATE, kernel.new_fd)
    told = answer({"type": LinkType.ITER, "iter.task.tid": 9}, {"iter.target_name": name})
    kernel.on(Cmd.OBJ_GET_INFO_BY_FD, told)
    err = refused(kernel, fd, ProgType.TRACING, target)
    assert (str(err), err.code) == (message, "iterator-parameter")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (targets.Iter(map_fd=9), "the iterator takes no map, or not one of this type"),
        (targets.Iter(pid=9), "the iterator does not take this parameter, or not this value"),
    ],
    ids=["map", "pid"],
)
def test_a_parameter_that_the_kernel_refuses(
    target: targets.Iter, words: str, kernel: FakeKernel, fd: Fd
) -> None:
    kernel.on(Cmd.OBJ_GET_INFO_BY_FD, -errno.EPERM)
    kernel.on(Cmd.LINK_CREATE, -errno.EINVAL)
    err = refused(kernel, fd, ProgType.TRACING, target)
    assert err.candidates == [words]


@pytest.mark.parametrize(
    ("kind", "target", "wanted"),
    [
        pytest.param(ProgType.XDP, targets.RawTracepoint("x"),
                     "raw_tracepoint or raw_tracepoint_writable", id="raw_tracepoint"),
        pytest.param(ProgType.XDP, targets.Loaded(), "ext or lsm or tracing", id="loaded"),
        pytest.param(ProgType.XDP, targets.Iter(), "tracing", id="iter"),
        pytest.param(ProgType.SCHED_CLS, targets.Xdp("lo"), "xdp", id="xdp"),
        pytest.param(ProgType.XDP, targets.Tcx("lo", AttachType.TCX_INGRESS), "sched_cls",
                     id="tcx"),
        pytest.param(ProgType.XDP, targets.Cgroup("/", CONNECT4), "cgroup_sock_addr",
                     id="cgroup address"),
        pytest.param(ProgType.XDP, targets.Cgroup("/", AttachType.CGROUP_INET_INGRESS),
                     "cgroup_skb", id="cgroup packets"),
    ],
)  # fmt: skip
def test_the_wrong_type_of_program(
    kernel: FakeKernel, fd: Fd, kind: ProgType, target: targets.Target, wanted: str
) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EINVAL).on(Cmd.RAW_TRACEPOINT_OPEN, -errno.EINVAL)
    err = refused(kernel, fd, kind, target)
    assert err.code == "attach-program-type"
    assert err.message == (
        f"cannot attach to {target}: that takes programs of type {wanted}, not {kind.name.lower()}"
    )
    assert err.subject == "program 60 guard"


def test_no_such_raw_tracepoint(
    kernel: FakeKernel, fd: Fd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach_explain, "raw_tracepoints", lambda: ["sched_switch", "other"])
    kernel.on(Cmd.RAW_TRACEPOINT_OPEN, -errno.ENOENT)
    err = refused(kernel, fd, ProgType.RAW_TRACEPOINT, targets.RawTracepoint("sched_swich"))
    assert (type(err), err.remedy) == (NotFoundError, "did you mean sched_switch?")


def test_no_such_interface(kernel: FakeKernel, fd: Fd) -> None:
    err = refused(kernel, fd, ProgType.XDP, targets.Xdp("no such one"))
    assert (type(err), err.code) == (NotFoundError, "no-such-interface")
    assert kernel.calls == []


def test_a_directory_that_is_no_cgroup(
    kernel: FakeKernel, fd: Fd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach_explain_cgroup, "mounts", lambda: [Mount("/cg", "/", "cgroup2", 7)])
    kernel.on(Cmd.LINK_CREATE, -errno.EBADF)
    target = targets.Cgroup(str(tmp_path), CONNECT4)
    err = refused(kernel, fd, ProgType.CGROUP_SOCK_ADDR, target)
    assert (type(err), err.code) == (PathError, "not-cgroup2")
    assert err.remedy == "cgroups of version 2 are below /cg"


def test_no_directory(kernel: FakeKernel, fd: Fd, tmp_path: Path) -> None:
    target = targets.Cgroup(str(tmp_path / "absent"), CONNECT4)
    err = refused(kernel, fd, ProgType.CGROUP_SOCK_ADDR, target)
    assert (type(err), err.code) == (PathError, "no-cgroup")


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> targets.Cgroup:
    """Return a target below a directory that is taken for the root of the cgroups."""
    device = tmp_path.stat().st_dev
    listed = [Mount(str(tmp_path), "/", "cgroup2", device)]
    monkeypatch.setattr(attach_explain_cgroup, "mounts", lambda: listed)
    monkeypatch.setattr(cgroups, "mounts", lambda: listed)
    (tmp_path / "a/b").mkdir(parents=True)
    return targets.Cgroup(f"{tmp_path}/a/b", CONNECT4)


def running(flags: int, *ids: int) -> Any:
    """Return a cgroup's answer to what it runs."""

    def fill(union: Any, size: int) -> int:
        del size
        for at, number in enumerate(ids):
            memory(union.query.prog_ids + 4 * at, 4)[:] = number.to_bytes(4, "little")
        union.query.count, union.query.attach_flags = len(ids), flags
        return 0

    return fill


OVERRIDE, MULTI = AttachFlags.ALLOW_OVERRIDE, AttachFlags.ALLOW_MULTI
ALONE = "program 44, attached without override or multi"
FORBIDDEN = [
    pytest.param(
        [running(0), running(0, 44), running(0)],
        "an ancestor",
        ["/      -", f"/a     {ALONE}   <- forbids", "/a/b   -   (wanted here)"],
        id="an ancestor",
    ),
    pytest.param(
        [running(0), running(0), running(0, 44)],
        "an ancestor",
        [f"/      {ALONE}   <- forbids", "/a     -", "/a/b   -   (wanted here)"],
        id="the root",
    ),
    pytest.param(
        [-errno.EPERM, running(0, 44), running(0)],
        "an ancestor",
        ["/      -", f"/a     {ALONE}   <- forbids", "/a/b   (cannot be asked)   (wanted here)"],
        id="unread",
    ),
    pytest.param(
        [running(0, 44), running(0), running(OVERRIDE, 7)],
        "another program there",
        [
            "/      program 7, attached with override only",
            "/a     -",
            f"/a/b   {ALONE}   <- forbids   (wanted here)",
        ],
        id="itself",
    ),
]


@pytest.mark.parametrize(("answers", "whose", "evidence"), FORBIDDEN)
def test_a_cgroup_that_admits_no_other_program(
    kernel: FakeKernel,
    fd: Fd,
    cgroup: targets.Cgroup,
    answers: list[Any],
    whose: str,
    evidence: list[str],
) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EPERM).on(Cmd.PROG_QUERY, *answers)
    kernel.on(Cmd.PROG_GET_FD_BY_ID, -errno.ENOENT)
    err = refused(kernel, fd, ProgType.CGROUP_SOCK_ADDR, cgroup)
    assert (err.code, err.message) == (
        "cgroup-attach-forbidden",
        f"cannot attach to {cgroup}: {whose} forbids it",
    )
    assert err.evidence == evidence
    assert err.remedy == "attach program 44 as a link or with multi, or attach above it"
    assert isinstance(err, SyscallError)
    assert err.errno == errno.EPERM


def test_a_full_cgroup(kernel: FakeKernel, fd: Fd, cgroup: targets.Cgroup) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.E2BIG).on(Cmd.PROG_QUERY, running(MULTI, *range(1, 65)))
    kernel.on(Cmd.PROG_GET_FD_BY_ID, -errno.ENOENT)
    err = refused(kernel, fd, ProgType.CGROUP_SOCK_ADDR, cgroup)
    assert (err.code, err.evidence) == (
        "cgroup-full",
        ["/a/b runs programs 1, 2, 3 and 61 more, and takes no more"],
    )


def test_too_big_for_another_reason(kernel: FakeKernel, fd: Fd, cgroup: targets.Cgroup) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.E2BIG).on(Cmd.PROG_QUERY, running(MULTI, 1))
    err = refused(kernel, fd, ProgType.CGROUP_SOCK_ADDR, cgroup)
    assert err.code != "cgroup-full"


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([running(0)], id="nothing runs anywhere"),
        pytest.param([running(MULTI, 4)], id="it shares"),
        pytest.param([running(0), running(OVERRIDE, 4), running(0, 5)], id="override above"),
        pytest.param([running(0), running(MULTI, 4), running(0, 5)], id="the nearest shares"),
        pytest.param([-errno.EPERM], id="nobody answers"),
    ],
)
def test_a_refusal_that_no_cgroup_explains(
    kernel: FakeKernel, fd: Fd, cgroup: targets.Cgroup, answers: list[Any]
) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EPERM).on(Cmd.PROG_QUERY, *answers)
    err = refused(kernel, fd, ProgType.CGROUP_SOCK_ADDR, cgroup)
    assert (err.code, err.evidence) == ("syscall-failed", [])


def test_an_overridable_program_shares_with_no_link(
    kernel: FakeKernel, fd: Fd, cgroup: targets.Cgroup
) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EPERM).on(Cmd.PROG_QUERY, running(OVERRIDE, 44), running(0))
    kernel.on(Cmd.PROG_GET_FD_BY_ID, -errno.ENOENT)
    err = refused(kernel, fd, ProgType.CGROUP_SOCK_ADDR, cgroup)
    own = "program 44, attached with override only   <- forbids   (wanted here)"
    assert err.evidence == ["/      -", "/a     -", f"/a/b   {own}"]


def test_a_program_for_another_attach_type(
    kernel: FakeKernel, fd: Fd, cgroup: targets.Cgroup
) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EINVAL).on(Cmd.PROG_GET_FD_BY_ID, -errno.EPERM)
    err = refused(kernel, fd, ProgType.CGROUP_SOCK_ADDR, cgroup)
    assert err.candidates == ["the program was loaded for another attach type"]


def test_tcx_candidates(kernel: FakeKernel, fd: Fd) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.ENOENT, -errno.EEXIST)
    kernel.on(Cmd.LINK_GET_FD_BY_ID, -errno.EPERM)
    target = targets.Tcx("lo", AttachType.TCX_INGRESS, Order("before", "link", 9))
    err = refused(kernel, fd, ProgType.SCHED_CLS, target)
    assert err.candidates == ["link 9 is not attached there"]
    err = refused(kernel, fd, ProgType.SCHED_CLS, target)
    assert err.candidates == ["the program is attached there already"]


def test_an_unknown_type_of_program_is_not_called_wrong(kernel: FakeKernel, fd: Fd) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EINVAL)
    err = refused(kernel, fd, 4711, targets.Xdp("lo"))
    assert (type(err), err.code) == (SyscallError, "syscall-failed")


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(-errno.EINVAL, (NotSupportedError, "link-kind-unsupported"), id="before 6.6"),
        pytest.param(-errno.ENODEV, (SyscallError, "syscall-failed"), id="since 6.6"),
        pytest.param(-errno.EPERM, (SyscallError, "syscall-failed"), id="cannot tell"),
    ],
)
def test_a_refused_tcx_link_asks_whether_there_are_any(
    second: int, expected: tuple[type, str], kernel: FakeKernel, fd: Fd
) -> None:
    kernel.on(Cmd.LINK_CREATE, -errno.EINVAL, second).on(Cmd.PROG_LOAD, kernel.new_fd)
    err = refused(kernel, fd, ProgType.SCHED_CLS, targets.Tcx("lo", AttachType.TCX_INGRESS))
    assert (type(err), err.code) == expected
    if isinstance(err, NotSupportedError):
        assert (
            str(err) == "program 60 guard: this kernel does not support tcx links (since Linux 6.6)"
        )
        assert err.evidence == ["the kernel answers EINVAL"]
