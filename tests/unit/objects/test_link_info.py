"""From what the kernel fills in to the details of each kind of link, and to JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import AttachType, Cmd, LinkType, PerfEventType
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects import link_probes as probes
from bpfctl.objects.link import LinkInfo, link_info
from tests.fakes.kernel import FakeKernel
from tests.unit.objects.link_structs import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = {"id": 12, "type": "?", "prog_id": 60}


@pytest.fixture
def fd() -> Iterator[Fd]:
    with Fd(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)) as opened:
        yield opened


CASES = [
    pytest.param(
        LinkType.RAW_TRACEPOINT,
        {},
        {"raw_tracepoint.tp_name": b"sched_switch"},
        kinds.RawTracepoint("sched_switch"),
        {"tp_name": "sched_switch"},
        id="raw_tracepoint",
    ),
    pytest.param(
        LinkType.RAW_TRACEPOINT,
        {"raw_tracepoint.cookie": 7},
        {"raw_tracepoint.tp_name": b"x"},
        kinds.RawTracepoint("x", 7),
        {"tp_name": "x", "cookie": 7},
        id="raw_tracepoint with a cookie",
    ),
    pytest.param(
        LinkType.TRACING,
        {
            "tracing.attach_type": AttachType.TRACE_FENTRY,
            "tracing.target_obj_id": 1,
            "tracing.target_btf_id": 33,
        },
        {},
        kinds.Tracing(AttachType.TRACE_FENTRY, 1, 33),
        {"attach_type": "trace_fentry", "target_obj_id": 1, "target_btf_id": 33},
        id="tracing",
    ),
    pytest.param(
        LinkType.CGROUP,
        {"cgroup.cgroup_id": 1 << 40, "cgroup.attach_type": AttachType.CGROUP_INET4_CONNECT},
        {},
        kinds.Cgroup(1 << 40, AttachType.CGROUP_INET4_CONNECT),
        {"cgroup_id": 1 << 40, "attach_type": "cgroup_inet4_connect"},
        id="cgroup",
    ),
    pytest.param(
        LinkType.ITER,
        {"iter.map.map_id": 5},
        {"iter.target_name": b"bpf_map_elem"},
        kinds.Iter("bpf_map_elem", map_id=5),
        {"target_name": "bpf_map_elem", "map_id": 5},
        id="iter of a map",
    ),
    pytest.param(
        LinkType.ITER,
        {"iter.task.tid": 5},
        {"iter.target_name": b"task_vma"},
        kinds.Iter("task_vma", tid=5),
        {"target_name": "task_vma", "tid": 5},
        id="iter of a thread",
    ),
    pytest.param(
        LinkType.ITER,
        {"iter.task.pid": 5},
        {"iter.target_name": b"task_file"},
        kinds.Iter("task_file", pid=5),
        {"target_name": "task_file", "pid": 5},
        id="iter of a process",
    ),
    pytest.param(
        LinkType.ITER,
        {},
        {"iter.target_name": b"task"},
        kinds.Iter("task"),
        {"target_name": "task"},
        id="iter of all tasks",
    ),
    pytest.param(
        LinkType.ITER,
        {"iter.cgroup.cgroup_id": 9, "iter.cgroup.order": 4},
        {"iter.target_name": b"cgroup"},
        kinds.Iter("cgroup", cgroup_id=9, order=4),
        {"target_name": "cgroup", "cgroup_id": 9, "order": "ancestors_up"},
        id="iter of cgroups",
    ),
    pytest.param(
        LinkType.ITER,
        {"iter.map.map_id": 77},
        {"iter.target_name": b"netlink"},
        kinds.Iter("netlink"),
        {"target_name": "netlink"},
        id="iter without parameters",
    ),
    pytest.param(
        LinkType.NETNS,
        {"netns.netns_ino": 4026531840, "netns.attach_type": AttachType.SK_LOOKUP},
        {},
        kinds.Netns(4026531840, AttachType.SK_LOOKUP),
        {"netns_ino": 4026531840, "attach_type": "sk_lookup"},
        id="netns",
    ),
    pytest.param(LinkType.XDP, {"xdp.ifindex": 3}, {}, kinds.Device(3), {"ifindex": 3}, id="xdp"),
    pytest.param(
        LinkType.TCX,
        {"tcx.ifindex": 3, "tcx.attach_type": AttachType.TCX_EGRESS},
        {},
        kinds.Device(3, AttachType.TCX_EGRESS),
        {"ifindex": 3, "attach_type": "tcx_egress"},
        id="tcx",
    ),
    pytest.param(
        LinkType.NETKIT,
        {"netkit.ifindex": 4, "netkit.attach_type": 999},
        {},
        kinds.Device(4, 999),
        {"ifindex": 4, "attach_type": 999},
        id="netkit with an unknown attach type",
    ),
    pytest.param(
        LinkType.STRUCT_OPS,
        {"struct_ops.map_id": 8},
        {},
        kinds.StructOps(8),
        {"map_id": 8},
        id="struct_ops",
    ),
    pytest.param(
        LinkType.SOCKMAP,
        {"sockmap.map_id": 8, "sockmap.attach_type": AttachType.SK_SKB_VERDICT},
        {},
        kinds.Sockmap(8, AttachType.SK_SKB_VERDICT),
        {"map_id": 8, "attach_type": "sk_skb_verdict"},
        id="sockmap",
    ),
    pytest.param(
        LinkType.NETFILTER,
        {
            "netfilter.pf": 2,
            "netfilter.hooknum": 1,
            "netfilter.priority": -128,
            "netfilter.flags": 1,
        },
        {},
        kinds.Netfilter(2, 1, -128, 1),
        {"pf": 2, "hook": 1, "prio": -128, "flags": 1},
        id="netfilter",
    ),
    pytest.param(
        LinkType.PERF_EVENT,
        {"perf_event.type": PerfEventType.TRACEPOINT, "perf_event.tracepoint.cookie": 4},
        {"perf_event.tracepoint.tp_name": b"sched_switch"},
        probes.PerfTracepoint("sched_switch", 4),
        {"tracepoint": "sched_switch", "cookie": 4},
        id="tracepoint",
    ),
    pytest.param(
        LinkType.PERF_EVENT,
        {
            "perf_event.type": PerfEventType.KRETPROBE,
            "perf_event.kprobe.offset": 4,
            "perf_event.kprobe.addr": 0xFFFFFFFF81000000,
            "perf_event.kprobe.missed": 2,
        },
        {"perf_event.kprobe.func_name": b"do_exit"},
        probes.PerfKprobe("do_exit", 4, 0xFFFFFFFF81000000, True, 2, 0),
        {
            "retprobe": True,
            "addr": 0xFFFFFFFF81000000,
            "func": "do_exit",
            "offset": 4,
            "missed": 2,
            "cookie": 0,
        },
        id="kretprobe",
    ),
    pytest.param(
        LinkType.PERF_EVENT,
        {"perf_event.type": PerfEventType.UPROBE, "perf_event.uprobe.offset": 0x40},
        {"perf_event.uprobe.file_name": b"/bin/sh"},
        probes.PerfUprobe("/bin/sh", 0x40, False, 0, 0),
        {"retprobe": False, "file": "/bin/sh", "offset": 0x40, "cookie": 0},
        id="uprobe",
    ),
    pytest.param(
        LinkType.PERF_EVENT,
        {
            "perf_event.type": PerfEventType.EVENT,
            "perf_event.event.type": 1,
            "perf_event.event.config": 3,
        },
        {},
        probes.PerfEvent(1, 3, 0),
        {"event_type": "software", "event_config": "context-switches", "cookie": 0},
        id="software event",
    ),
    pytest.param(LinkType.PERF_EVENT, {}, {}, None, {}, id="perf event before Linux 6.6"),
    pytest.param(LinkType.UNSPEC, {}, {}, None, {}, id="nothing known of the kind"),
]


@pytest.mark.parametrize(("kind", "fields", "texts", "details", "json"), CASES)
def test_each_kind(
    kind: LinkType,
    fields: dict[str, int],
    texts: dict[str, bytes],
    details: kinds.Details | None,
    json: dict[str, object],
    fd: Fd,
) -> None:
    told = answer({"type": kind, "id": 12, "prog_id": 60, **fields}, texts)
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told):
        found = link_info(fd)
    assert found == LinkInfo(12, kind, 60, details)
    assert found.to_json() == HEAD | {"type": kind.name.lower()} | json


def test_a_kind_newer_than_we_are_survives(fd: Fd) -> None:
    told = answer({"type": 4711, "id": 1, "prog_id": 2})
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told):
        found = link_info(fd)
    assert found.to_json() == {"id": 1, "type": 4711, "prog_id": 2}


def test_an_old_kernel_knows_no_parameters(fd: Fd) -> None:
    head = 32  # the struct of Linux 5.9: type, id, prog_id, and 16 bytes of the union
    told = answer({"type": LinkType.ITER, "id": 1}, {"iter.target_name": b"task"}, filled=head)
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told):
        assert link_info(fd).details == kinds.Iter("task")


def test_functions_of_a_multi_kprobe(fd: Fd) -> None:
    told = answer(
        {
            "type": LinkType.KPROBE_MULTI,
            "id": 1,
            "prog_id": 2,
            "kprobe_multi.count": 2,
            "kprobe_multi.flags": 1,
            "kprobe_multi.missed": 3,
        },
        arrays={"kprobe_multi.addrs": [16, 1 << 63], "kprobe_multi.cookies": [5, 6]},
    )
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told):
        found = link_info(fd).details
    assert found == probes.KprobeMulti(2, True, 3, (probes.Place(16, 5), probes.Place(1 << 63, 6)))


def test_functions_of_a_tracing_multi_link(fd: Fd) -> None:
    told = answer(
        {
            "type": LinkType.TRACING_MULTI,
            "tracing_multi.count": 2,
            "tracing_multi.attach_type": AttachType.TRACE_FEXIT_MULTI,
        },
        arrays={"tracing_multi.addrs": [16, 32], "tracing_multi.cookies": [5, 6]},
    )
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told):
        found = link_info(fd).details
    places = (probes.Place(16, 5), probes.Place(32, 6))
    assert found == probes.TracingMulti(AttachType.TRACE_FEXIT_MULTI, 2, places)
    assert found is not None
    assert found.to_json() == {"attach_type": "trace_fexit_multi", "func_cnt": 2}


def test_places_of_a_multi_uprobe(fd: Fd) -> None:
    told = answer(
        {"type": LinkType.UPROBE_MULTI, "uprobe_multi.count": 1, "uprobe_multi.pid": 9},
        {"uprobe_multi.path": b"/lib/libc.so"},
        {
            "uprobe_multi.offsets": [64],
            "uprobe_multi.cookies": [2],
            "uprobe_multi.ref_ctr_offsets": [8],
        },
    )
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told):
        found = link_info(fd).details
    assert found == probes.UprobeMulti("/lib/libc.so", 1, False, 9, (probes.Place(64, 2, 8),))
    assert found is not None
    assert found.to_json() == {
        "retprobe": False,
        "path": "/lib/libc.so",
        "func_cnt": 1,
        "pid": 9,
        "funcs": [{"offset": 64, "ref_ctr_offset": 8, "cookie": 2}],
    }


@pytest.mark.parametrize("count", [0, 1 << 30], ids=["none", "more than there can be"])
def test_counts_are_not_believed(count: int, fd: Fd) -> None:
    told = answer({"type": LinkType.KPROBE_MULTI, "kprobe_multi.count": count})
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told) as kernel:
        found = link_info(fd).details
    assert found == probes.KprobeMulti(count, False, 0, ())
    assert len(kernel.calls) == 1


def test_a_link_that_changes_while_we_ask(fd: Fd) -> None:
    """The second question fails (ENOSPC: it has more functions by now)."""
    told = answer({"type": LinkType.KPROBE_MULTI, "kprobe_multi.count": 2})
    with FakeKernel().on(Cmd.OBJ_GET_INFO_BY_FD, told, -28):
        assert link_info(fd).details == probes.KprobeMulti(2, False, 0, ())


@pytest.mark.parametrize(
    ("kind", "config", "names"),
    [
        pytest.param(0, 0, ("hardware", "cpu-cycles"), id="hardware"),
        pytest.param(3, 0x10003, ("hw-cache", "dTLB-load-misses"), id="cache"),
        pytest.param(3, 0xFFFFFF, ("hw-cache", "255-255-255"), id="unknown cache"),
        pytest.param(4, 0x1C2, ("raw", 0x1C2), id="raw"),
        pytest.param(99, 5, (99, 5), id="unknown type"),
        pytest.param(0, 99, ("hardware", 99), id="unknown event"),
    ],
)
def test_names_of_perf_events(kind: int, config: int, names: tuple[Any, Any]) -> None:
    event = probes.PerfEvent(kind, config)
    assert (event.type_name, event.config_name) == names
