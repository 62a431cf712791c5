"""Words for what links are attached to."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel import netlink
from bpfctl.kernel.netlink import XdpAttachment, XdpMode
from bpfctl.kernel.uapi import AttachType, CgroupIterOrder, Cmd, LinkType
from bpfctl.linux import kallsyms
from bpfctl.linux.kallsyms import Symbol
from bpfctl.objects import link_devices, link_functions, link_targets
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects import link_probes as probes
from bpfctl.objects.link import LinkInfo
from bpfctl.objects.link_targets import Target, Targets, describe_target
from tests.fakes.kernel import FakeKernel, memory

if TYPE_CHECKING:
    from collections.abc import Collection

CONNECT4, INGRESS = AttachType.CGROUP_INET4_CONNECT, AttachType.TCX_INGRESS
OWN_NETNS = Path("/proc/self/ns/net").stat().st_ino


def link(details: kinds.Details | None, kind: LinkType | int = LinkType.ITER) -> LinkInfo:
    return LinkInfo(12, kind, 60, details)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give cgroup 9 a path and map 5 a name, without a kernel."""

    def paths(ids: Collection[int]) -> dict[int, str]:
        return {9: "/system.slice/web"} if 9 in ids else {}

    def words(map_id: int) -> str:
        return f"map {map_id} routes" if map_id == 5 else f"map {map_id}"

    monkeypatch.setattr(link_targets, "cgroup_paths", paths)
    monkeypatch.setattr(link_targets, "map_words", words)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        pytest.param(kinds.RawTracepoint("sched_switch"), "sched_switch", id="raw tracepoint"),
        pytest.param(kinds.Cgroup(9, CONNECT4), "connect4 on /system.slice/web", id="cgroup"),
        pytest.param(
            kinds.Cgroup(8, CONNECT4),
            "connect4 on cgroup id 8 (not visible here)",
            id="cgroup elsewhere",
        ),
        pytest.param(kinds.Cgroup(0, CONNECT4), "detached (was connect4)", id="cgroup detached"),
        pytest.param(kinds.Cgroup(9, 4711), "4711 on /system.slice/web", id="unknown attach type"),
        pytest.param(kinds.Iter("task"), "task (all tasks)", id="all tasks"),
        pytest.param(kinds.Iter("task_file", pid=1440), "task_file (pid 1440)", id="pid"),
        pytest.param(kinds.Iter("task_vma", tid=7), "task_vma (thread 7)", id="tid"),
        pytest.param(
            kinds.Iter("bpf_map_elem", map_id=5), "bpf_map_elem of map 5 routes", id="map"
        ),
        pytest.param(
            kinds.Iter("cgroup", cgroup_id=9, order=CgroupIterOrder.SELF_ONLY),
            "cgroup /system.slice/web (self_only)",
            id="one cgroup",
        ),
        pytest.param(
            kinds.Iter("cgroup", cgroup_id=8, order=77),
            "cgroup id 8, not visible here (77)",
            id="cgroup elsewhere in an unknown order",
        ),
        pytest.param(kinds.Iter("netlink"), "netlink", id="iterator without parameters"),
        pytest.param(kinds.StructOps(5), "map 5 routes", id="struct_ops"),
        pytest.param(
            kinds.Sockmap(6, AttachType.SK_SKB_VERDICT), "sk_skb_verdict on map 6", id="sockmap"
        ),
        pytest.param(
            kinds.Netns(OWN_NETNS, AttachType.SK_LOOKUP),
            "sk_lookup in this network namespace",
            id="own netns",
        ),
        pytest.param(
            kinds.Netns(7, AttachType.FLOW_DISSECTOR),
            "flow_dissector in network namespace 7",
            id="other netns",
        ),
        pytest.param(
            kinds.Netns(0, AttachType.SK_LOOKUP),
            "detached (was sk_lookup)",
            id="netns detached",
        ),
        pytest.param(kinds.Netfilter(2, 1, -128, 0), "ipv4 input, priority -128", id="netfilter"),
        pytest.param(kinds.Netfilter(3, 1, 0, 0), "arp output, priority 0", id="arp"),
        pytest.param(
            kinds.Netfilter(99, 9, 0, 0),
            "protocol family 99 hook 9, priority 0",
            id="unknown netfilter hook",
        ),
        pytest.param(kinds.Netfilter(3, 9, 0, 0), "arp hook 9, priority 0", id="unknown arp hook"),
        pytest.param(probes.PerfTracepoint("x"), "tracepoint x", id="tracepoint"),
        pytest.param(
            probes.PerfKprobe("do_exit", 4, 0, True), "kretprobe do_exit+0x4", id="kretprobe"
        ),
        pytest.param(probes.PerfKprobe("", 0, 255, False), "kprobe 0xff", id="kprobe by address"),
        pytest.param(
            probes.PerfUprobe("/bin/sh", 64, True), "uretprobe /bin/sh+0x40", id="uretprobe"
        ),
        pytest.param(probes.PerfEvent(1, 0), "software event cpu-clock", id="software event"),
        pytest.param(probes.PerfEvent(4, 0x1C2), "raw event 0x1c2", id="raw event"),
        pytest.param(probes.PerfEvent(987654, 5), "PMU 987654 event 0x5", id="unknown PMU"),
        pytest.param(
            probes.UprobeMulti("/bin/sh", 1, False, 9, (probes.Place(64),)),
            "uprobe /bin/sh+0x40 (pid 9)",
            id="one uprobe",
        ),
        pytest.param(
            probes.UprobeMulti("/bin/sh", 2, True, 0, ()),
            "uretprobe /bin/sh (2 places)",
            id="uprobes",
        ),
        pytest.param(None, "unknown (a link of type iter)", id="no details"),
    ],
)
def test_words(details: kinds.Details | None, words: str) -> None:
    assert describe_target(link(details)) == words


def test_facts_of_cgroups() -> None:
    infos = [link(kinds.Cgroup(9, CONNECT4)), link(kinds.Cgroup(8, CONNECT4))]
    targets = Targets(infos)
    assert targets.describe(infos[0]).facts == {"cgroup_path": "/system.slice/web"}
    assert targets.describe(infos[1]).facts == {}


def test_one_walk_finds_all_cgroups(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def paths(ids: list[int]) -> dict[int, str]:
        asked.append(ids)
        return {}

    monkeypatch.setattr(link_targets, "cgroup_paths", paths)
    infos = [
        link(kinds.Cgroup(4, CONNECT4)),
        link(kinds.Cgroup(0, CONNECT4)),
        link(kinds.Iter("cgroup", cgroup_id=3, order=1)),
        link(kinds.Iter("task")),
    ]
    targets = Targets(infos)
    for info in infos:
        targets.describe(info)
    assert asked == [[4, 3]]


def test_named_network_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "blue").touch()
    monkeypatch.setattr(link_targets, "_NAMED_NETNS", str(tmp_path))
    inode = (tmp_path / "blue").stat().st_ino
    netns = kinds.Netns(inode, AttachType.SK_LOOKUP)
    assert describe_target(link(netns)) == "sk_lookup in network namespace blue"


def attached(*found: XdpAttachment) -> Any:
    return lambda: list(found)


XDP_WORDS = [
    pytest.param(3, 60, Target(
        "eth1 (ifindex 3, driver mode)", {"devname": "eth1", "mode": "driver"}
    ), id="here"),
    pytest.param(3, 61, Target(
        "ifindex 3 (in another network namespace)", {"devname": "(unknown)"}
    ), id="another program on the interface of that index"),
    pytest.param(4, 60, Target(
        "ifindex 4 (in another network namespace)", {"devname": "(unknown)"}
    ), id="no interface of that index"),
    pytest.param(0, 60, Target("detached", {"devname": "(detached)"}), id="detached"),
]  # fmt: skip


@pytest.mark.parametrize(("ifindex", "prog_id", "expected"), XDP_WORDS)
def test_xdp(ifindex: int, prog_id: int, expected: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    here = XdpAttachment(3, "eth1", XdpMode.DRIVER, 60)
    monkeypatch.setattr(netlink, "xdp_attachments", attached(here))
    info = LinkInfo(7, LinkType.XDP, prog_id, kinds.Device(ifindex))
    assert Targets([info]).describe(info) == expected


def test_netlink_is_asked_once_and_may_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refuse() -> list[XdpAttachment]:
        asked.append(1)
        raise SyscallError(errno.EPERM, "netlink", "list")

    monkeypatch.setattr(netlink, "xdp_attachments", refuse)
    info = LinkInfo(7, LinkType.XDP, 60, kinds.Device(3))
    targets = Targets([info])
    assert targets.describe(info).words == "ifindex 3 (network namespace unknown)"
    targets.describe(info)
    assert asked == [1]


def holding(*ids: int) -> Any:
    """Return a kernel whose interface runs these links."""

    def fill(union: Any, size: int) -> int:
        del size
        for at, number in enumerate(ids):
            memory(union.query.link_ids + 4 * at, 4)[:] = number.to_bytes(4, "little")
        union.query.count = len(ids)
        return 0

    return fill


@pytest.mark.parametrize(
    ("told", "ifindex", "words"),
    [
        pytest.param(holding(4, 12), 3, "eth1 ingress (ifindex 3)", id="here"),
        pytest.param(
            holding(4), 3, "ifindex 3 ingress (in another network namespace)", id="not among them"
        ),
        pytest.param(
            -errno.ENODEV, 3, "ifindex 3 ingress (in another network namespace)", id="no interface"
        ),
        pytest.param(
            -errno.EPERM, 3, "ifindex 3 ingress (network namespace unknown)", id="not allowed"
        ),
        pytest.param(0, 0, "detached (was ingress)", id="detached"),
    ],
)
def test_tcx(told: Any, ifindex: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_devices, "interface_name", {3: "eth1"}.get)
    info = link(kinds.Device(ifindex, INGRESS), LinkType.TCX)
    with FakeKernel().on(Cmd.PROG_QUERY, told):
        assert describe_target(info) == words


def test_functions_of_many_kprobes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fourth is traced behind its endbr64, the fifth has no symbol."""
    symbols = {at: Symbol(f"f{at}", "veth" if at == 20 else None) for at in range(10, 50, 10)}
    monkeypatch.setattr(kallsyms, "symbols_at", lambda _: symbols)
    places = tuple(probes.Place(at, at * 10) for at in (30, 20, 10, 44, 50))
    info = link(probes.KprobeMulti(5, False, 0, places), LinkType.KPROBE_MULTI)
    target = Targets([info]).describe(info)
    assert target.words == "kprobe f10, f20, f30 and 2 more"
    functions = target.facts["funcs"]
    assert isinstance(functions, list)
    assert functions[:2] == [
        {"addr": 10, "func": "f10", "module": None, "cookie": 100},
        {"addr": 20, "func": "f20", "module": "veth", "cookie": 200},
    ]
    assert [one["func"] for one in functions[2:]] == ["f30", "f40"]


@pytest.mark.parametrize(
    ("details", "kind", "words"),
    [
        pytest.param(
            probes.KprobeMulti(0, False, None),
            LinkType.KPROBE_MULTI,
            "kprobe functions that this kernel does not tell",
            id="kprobe.multi before 6.6",
        ),
        pytest.param(
            probes.UprobeMulti("", 0, True, 0),
            LinkType.UPROBE_MULTI,
            "uretprobe a file that this kernel does not tell",
            id="uprobe.multi before 6.8",
        ),
        pytest.param(
            None,
            LinkType.PERF_EVENT,
            "perf event (this kernel does not tell of what)",
            id="perf event before 6.6",
        ),
    ],
)
def test_what_old_kernels_do_not_tell(details: Any, kind: LinkType, words: str) -> None:
    assert describe_target(link(details, kind)) == words


def test_kprobes_without_symbols() -> None:
    info = link(probes.KprobeMulti(5, True, 0, ()), LinkType.KPROBE_MULTI)
    assert Targets([info]).describe(info) == Target("kretprobe 5 functions", {"funcs": []})


@pytest.mark.parametrize(
    ("kind", "attach_btf", "attach_type", "words"),
    [
        pytest.param(
            "tracing", 1, AttachType.TRACE_FENTRY, "fentry type 33 of BTF 1", id="kernel function"
        ),
        pytest.param("lsm", 0, AttachType.LSM_MAC, "lsm type 33 of BTF 1", id="before Linux 5.18"),
        pytest.param(
            "tracing", 8, AttachType.TRACE_FEXIT, "fexit type 33 of program 1", id="a program's"
        ),
        pytest.param("ext", 1, 0, "freplace type 33 of program 1", id="freplace"),
        pytest.param(None, 1, AttachType.TRACE_FENTRY, "fentry type 33 of BTF 1", id="unreadable"),
    ],
)
def test_tracing(
    kind: str | None,
    attach_btf: int,
    attach_type: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_targets, "prog_type", lambda _: kind)
    monkeypatch.setattr(link_functions, "_target_btf", lambda _: attach_btf)
    monkeypatch.setattr(
        link_functions, "_in_btf", lambda obj, type_id: f"type {type_id} of BTF {obj}"
    )
    monkeypatch.setattr(
        link_functions, "_in_program", lambda obj, type_id: f"type {type_id} of program {obj}"
    )
    info = link(kinds.Tracing(attach_type, 1, 33), LinkType.TRACING)
    facts: dict[str, object] = {"prog_type": kind} if kind else {}
    assert Targets([info]).describe(info) == Target(words, facts)


def test_tracing_of_what_cannot_be_read() -> None:
    info = link(kinds.Tracing(AttachType.TRACE_FENTRY, 1, 33), LinkType.TRACING)
    with FakeKernel().on(Cmd.PROG_GET_FD_BY_ID, -errno.EPERM):
        assert describe_target(info) == "fentry function of BTF type 33 in object 1"
