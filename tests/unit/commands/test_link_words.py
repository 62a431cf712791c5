"""The words that say what to attach to."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from bpfctl.commands.link_forms import FORMS
from bpfctl.commands.link_words import parse_target

from bpfctl.errors import UsageError
from bpfctl.kernel.uapi import AttachType, CgroupIterOrder, ProgType
from bpfctl.objects.attach_net_targets import Netfilter, Netkit, Netns, Order
from bpfctl.objects.attach_targets import (
    Cgroup,
    Iter,
    Loaded,
    RawTracepoint,
    Target,
    Tcx,
    Tracepoint,
    Xdp,
)
from tests.unit.objects.records import prog

IN, OUT = AttachType.TCX_INGRESS, AttachType.TCX_EGRESS


def parse(words: str, kind: ProgType | int = ProgType.XDP) -> Target:
    with ExitStack() as stack:
        target: Target = parse_target(words.split(), prog(kind), stack)
    return target


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("raw_tracepoint sched_switch", RawTracepoint("sched_switch"), id="raw"),
        pytest.param("raw_tp sched_switch", RawTracepoint("sched_switch"), id="raw, short"),
        pytest.param("tp_btf", Loaded(), id="tp_btf"),
        pytest.param("fentry", Loaded(), id="fentry"),
        pytest.param("tracepoint sched/sched_switch", Tracepoint("sched", "sched_switch"), id="tp"),
        pytest.param("tp sched:sched_switch", Tracepoint("sched", "sched_switch"), id="as perf"),
        pytest.param("cgroup /g connect4", Cgroup("/g", AttachType.CGROUP_INET4_CONNECT), id="cg"),
        pytest.param(
            "cgroup g cgroup_inet_ingress", Cgroup("g", AttachType.CGROUP_INET_INGRESS), id="cg 0"
        ),
        pytest.param("xdp dev eth1", Xdp("eth1"), id="xdp"),
        pytest.param("xdp dev eth1 generic", Xdp("eth1", "generic"), id="xdp generic"),
        pytest.param("xdp dev eth1 drv", Xdp("eth1", "driver"), id="xdp, short mode"),
        pytest.param("xdpgeneric dev eth1", Xdp("eth1", "generic"), id="as bpftool"),
        pytest.param("xdpoffload dev eth1", Xdp("eth1", "offload"), id="offload as bpftool"),
        pytest.param("xdp dev generic", Xdp("generic"), id="an interface called generic"),
        pytest.param("tcx ingress dev eth1", Tcx("eth1", IN), id="tcx"),
        pytest.param("tcx_egress dev eth1", Tcx("eth1", OUT), id="tcx as bpftool"),
        pytest.param("tcx egress dev eth1 first", Tcx("eth1", OUT, Order("before")), id="first"),
        pytest.param("tcx egress dev eth1 last", Tcx("eth1", OUT, Order("after")), id="last"),
        pytest.param(
            "tcx ingress dev e before link 7", Tcx("e", IN, Order("before", "link", 7)), id="before"
        ),
        pytest.param(
            "tcx ingress dev e after prog id 8", Tcx("e", IN, Order("after", "prog", 8)), id="after"
        ),
        pytest.param(
            "tcx ingress dev e last revision 4", Tcx("e", IN, Order("after", revision=4)), id="rev"
        ),
        pytest.param(
            "cgroup /g connect4 before prog 5 preorder",
            Cgroup("/g", AttachType.CGROUP_INET4_CONNECT, Order("before", "prog", 5, 0, True)),
            id="place in a cgroup",
        ),
        pytest.param(
            "netkit peer dev nk0 first",
            Netkit("nk0", AttachType.NETKIT_PEER, Order("before")),
            id="netkit",
        ),
        pytest.param(
            "netkit_primary dev nk0", Netkit("nk0", AttachType.NETKIT_PRIMARY), id="one word"
        ),
        pytest.param("netns sk_lookup", Netns(AttachType.SK_LOOKUP), id="own netns"),
        pytest.param(
            "netns flow_dissector blue",
            Netns(AttachType.FLOW_DISSECTOR, "/run/netns/blue"),
            id="named netns",
        ),
        pytest.param(
            "netns sk_lookup /proc/7/ns/net",
            Netns(AttachType.SK_LOOKUP, "/proc/7/ns/net"),
            id="netns by path",
        ),
        pytest.param("netfilter ipv4 input", Netfilter("ipv4", "input"), id="netfilter"),
        pytest.param(
            "netfilter ipv6 output priority -7 defrag",
            Netfilter("ipv6", "output", -7, True),
            id="netfilter, all",
        ),
        pytest.param("iter", Iter(), id="iter"),
        pytest.param("iter pid 7", Iter(pid=7), id="pid"),
        pytest.param("iter tid 7", Iter(tid=7), id="tid"),
        pytest.param("iter pidfd 7", Iter(pid_fd=7), id="pidfd"),
        pytest.param("iter cgroup /g", Iter(cgroup="/g"), id="cgroup"),
        pytest.param(
            "iter cgroup id 4294967296 order self_only",
            Iter(cgroup_id=1 << 32, order=CgroupIterOrder.SELF_ONLY),
            id="cgroup by id",
        ),
        pytest.param(
            "iter cgroup /g order ancestors_up",
            Iter(cgroup="/g", order=CgroupIterOrder.ANCESTORS_UP),
            id="cgroup in order",
        ),
    ],
)
def test_forms(words: str, expected: Target) -> None:
    assert parse(words) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param("raw_tracepoint", "expected raw_tracepoint NAME", id="no name"),
        pytest.param("raw_tracepoint a b", '"b" is not expected there', id="two names"),
        pytest.param("tp_btf x", '"x" is one word too many', id="a target for tp_btf"),
        pytest.param("tracepoint sched", "expected tracepoint CATEGORY/NAME", id="no category"),
        pytest.param("tracepoint sched/", "expected tracepoint CATEGORY/NAME", id="empty name"),
        pytest.param("cgroup /g", "expected cgroup DIR ATTACH_TYPE", id="no attach type"),
        pytest.param("cgroup /g xdp", '"xdp" is nothing that a cgroup runs', id="other type"),
        pytest.param("xdp eth1", r"expected xdp dev NAME", id="no dev"),
        pytest.param("xdp dev", r"expected xdp dev NAME", id="no interface"),
        pytest.param("xdp dev eth1 fast", '"fast" is no mode of XDP', id="no mode"),
        pytest.param("xdpdrv dev eth1 generic", '"generic" is no mode', id="two modes"),
        pytest.param("tcx", "expected tcx ingress", id="tcx alone"),
        pytest.param("tcx dev eth1", "expected tcx ingress", id="no direction"),
        pytest.param("tcx ingress dev", "expected tcx ingress", id="tcx without interface"),
        pytest.param("tcx ingress dev e before", '"before" is not expected', id="before nothing"),
        pytest.param("tcx ingress dev e before link", "is no id", id="before no id"),
        pytest.param("tcx ingress dev e before link x", '"x" is no id', id="before a word"),
        pytest.param("tcx ingress dev e before map 7", '"before" is not expected', id="before map"),
        pytest.param("tcx ingress dev e first last", '"last" is not expected', id="two places"),
        pytest.param("tcx ingress dev e preorder", '"preorder" is not', id="preorder of tcx"),
        pytest.param("tcx ingress dev e revision 0", '"0" is no revision', id="revision 0"),
        pytest.param("netkit ingress dev e", "expected netkit primary", id="side of netkit"),
        pytest.param("netns sk_reuseport", "expected netns sk_lookup", id="other type"),
        pytest.param("netns sk_lookup a b", "expected netns sk_lookup", id="two namespaces"),
        pytest.param("netfilter arp input", "expected netfilter ipv4", id="family"),
        pytest.param("netfilter ipv4 ingress", "expected netfilter ipv4", id="hook"),
        pytest.param("netfilter ipv4 input 5", "expected netfilter", id="priority unsaid"),
        pytest.param("netfilter ipv4 input priority --5", "is no priority", id="two signs"),
        pytest.param("iter speed 7", '"speed" is not expected there', id="no parameter"),
        pytest.param("iter pid", '"pid" wants a value', id="no pid"),
        pytest.param("iter pid 0", '"0" is no pid', id="pid 0"),
        pytest.param("iter pid x", '"x" is no pid', id="a word as pid"),
        pytest.param("iter cgroup id x", '"x" is no cgroup id', id="no id"),
        pytest.param("iter cgroup id", '"cgroup id" wants a value', id="id without a number"),
        pytest.param("iter cgroup id 5 cgroup /g", "takes one of these", id="two cgroups"),
        pytest.param("iter pid 1 pid 2", '"pid" is not expected there', id="two pids"),
        pytest.param("iter pid 1 tid 2", "takes one of these: pid, tid", id="pid and tid"),
        pytest.param("iter order self_only", "an order is for cgroups", id="order alone"),
        pytest.param("iter cgroup /g order up", '"up" is no order', id="no order"),
        pytest.param("iter map", "which map", id="no map"),
        pytest.param("tracepont x/y", '"tracepont" is nothing to attach to', id="misspelt"),
    ],
)
def test_mistakes(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(words)


def test_a_misspelt_word_has_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        parse("tracepont x/y")
    assert caught.value.remedy == 'did you mean "tracepoint"?'


@pytest.mark.parametrize("kind", [ProgType.TRACING, ProgType.LSM, ProgType.EXT])
def test_some_programs_know_their_target(kind: ProgType) -> None:
    assert parse("", kind) == Loaded()


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        pytest.param(ProgType.XDP, "expected PROG xdp dev NAME [generic|driver|offload]", id="xdp"),
        pytest.param(ProgType.CGROUP_SKB, f"expected PROG {FORMS['cgroup']}", id="cgroup_skb"),
    ],
)
def test_others_have_to_be_told(kind: ProgType, remedy: str) -> None:
    with pytest.raises(UsageError, match="does not say what to attach it to") as caught:
        parse("", kind)
    assert (caught.value.code, caught.value.remedy) == ("no-target", remedy)


def test_an_unknown_type_of_program_has_all_forms_as_remedy() -> None:
    with pytest.raises(UsageError) as caught:
        parse("", 4711)
    assert "freplace, raw_tracepoint, tracepoint, kprobe, " in (caught.value.remedy or "")
