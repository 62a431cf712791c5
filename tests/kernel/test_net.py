"""`net attach`, `net detach` and `net show`: programs at interfaces that nobody has to hold."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.kernel.uapi import ProgType
from bpfctl.objects.pin import pin
from bpfctl.objects.prog import prog_info
from tests.cli.runner import Done, in_process
from tests.kernel import needs
from tests.kernel.places import inside
from tests.kernel.powers import named, run_with
from tests.kernel.small import RETURN_2, load
from tests.kernel.test_attach_net import MAKE_NETKIT, TALK, counting
from tests.kernel.test_feature_oracle import program
from tests.vm import newest_bpftool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.kernel.conftest import NetNs

DONE = Done(0, "", "")
XDP_DROP = bytes.fromhex("b7000000010000009500000000000000")
DATA = Path(__file__).parent.parent / "data"
EMPTY: dict[str, list[Any]] = {"xdp": [], "tc": [], "flow_dissector": [], "netfilter": []}


@pytest.fixture
def here(netns: NetNs, locked_memory: None) -> Iterator[NetNs]:
    """Be in a network namespace of our own."""
    with inside(netns):
        yield netns


@pytest.fixture
def progs(bpffs: Path, here: NetNs) -> dict[str, int]:
    """Pin programs of both types below the bpffs, and give their ids by the names of the pins."""
    found = {}
    for name, code in {"x1": RETURN_2, "x2": XDP_DROP, "t1": RETURN_2, "t2": RETURN_2}.items():
        kind = ProgType.XDP if name.startswith("x") else ProgType.SCHED_CLS
        with load(kind, code=code) as fd:
            pin(fd, str(bpffs / name))
            found[name] = prog_info(fd).id
    return found


def net(place: Path, words: str) -> Done:
    """Run `net WORDS`, where "@t1" is the pin t1."""
    return in_process("-j", "net", *words.replace("@", f"{place}/").split())


def made(place: Path, words: str) -> None:
    done = net(place, words)
    assert (done.status, done.out) == (0, "null\n"), done.out


def refused(place: Path, words: str) -> dict[str, Any]:
    done = net(place, words)
    assert done.status, done
    error: dict[str, Any] = done.json["error"]
    return {**error, "status": done.status}


def shown(*words: str) -> dict[str, list[Any]]:
    done = in_process("-j", "net", "show", *words)
    assert done.status == 0, done.out
    (found,) = done.json
    return dict(found)


def programs(section: str) -> list[tuple[str, str, int]]:
    """Return the interface, the place and the program of each entry of a section."""
    return [
        (one["devname"], one.get("kind") or one["mode"], one.get("id") or one["prog_id"])
        for one in shown()[section]
    ]


def has_clsact(space: NetNs) -> bool:
    return "clsact" in space.run("tc", "qdisc", "show", "dev", space.device)


# --- XDP ------------------------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        pytest.param("xdp", "driver", id="xdp"),
        pytest.param("xdpdrv", "driver", id="driver"),
        pytest.param("xdpgeneric", "generic", id="generic"),
    ],
)
def test_xdp_stays_until_it_is_detached(
    kind: str, mode: str, progs: dict[str, int], bpffs: Path, here: NetNs
) -> None:
    made(bpffs, f"attach {kind} @x1 dev va0")
    (bpffs / "x1").unlink()  # neither a pin nor a process holds it now
    index = int(here.run("cat", "/sys/class/net/va0/ifindex"))
    assert shown("dev", "va0")["xdp"] == [
        {
            "devname": "va0",
            "ifindex": index,
            "mode": mode,
            "id": progs["x1"],
            "link_id": 0,
            "prog_name": "core_test",
        }
    ]
    assert shown("dev", "va1") == EMPTY
    assert net(bpffs, f"detach {kind} dev va0") == Done(0, "null\n", "")
    assert shown() == EMPTY
    again = net(bpffs, f"detach {kind} dev va0")  # bpftool says nothing of this
    assert (again.status, again.out) == (0, "null\n")
    assert again.err.endswith(": nothing was attached\n")


@pytest.mark.explains("net-other-program")
def test_xdp_in_place_of_another(progs: dict[str, int], bpffs: Path) -> None:
    made(bpffs, "attach xdpdrv @x1 dev va0")
    busy = refused(bpffs, "attach xdpdrv @x2 dev va0")
    assert (busy["status"], busy["code"]) == (1, "xdp-busy")
    assert busy["message"] == f"va0 runs an XDP program already: {progs['x1']} core_test"
    assert busy["remedy"].endswith("first: bpfctl net detach xdpdrv dev va0")
    made(bpffs, "attach xdpdrv @x2 dev va0 overwrite")
    assert programs("xdp") == [("va0", "driver", progs["x2"])]
    other = refused(bpffs, "attach xdpdrv @x1 dev va0 replace @x1")
    assert (other["code"], other["message"]) == (
        "net-other-program",
        f"va0 runs program {progs['x2']}, not {progs['x1']}",
    )
    assert refused(bpffs, "detach xdp @x1 dev va0")["code"] == "net-other-program"
    made(bpffs, f"attach xdpdrv @x1 dev va0 replace id {progs['x2']}")
    assert programs("xdp") == [("va0", "driver", progs["x1"])]
    made(bpffs, "detach xdp @x1 dev va0")
    assert shown() == EMPTY


@pytest.mark.shared
@pytest.mark.explains("net-not-attached")
def test_xdp_of_another_mode(progs: dict[str, int], bpffs: Path) -> None:
    made(bpffs, "attach xdpgeneric @x1 dev va0")
    assert refused(bpffs, "attach xdpdrv @x1 dev va0")["code"] == "xdp-modes-mixed"
    error = refused(bpffs, "detach xdpdrv dev va0")
    assert (error["status"], error["code"]) == (3, "net-not-attached")
    assert error["evidence"] == [f"it runs program {progs['x1']} in generic mode"]
    assert error["remedy"] == "bpfctl net detach xdpgeneric dev va0"
    made(bpffs, "detach xdp dev va0")  # whatever the mode
    assert shown() == EMPTY


@pytest.mark.explains("net-held-by-link")
def test_what_a_link_holds(progs: dict[str, int], bpffs: Path) -> None:
    words = ("link", "create", f"{bpffs}/x1", "xdp", "dev", "va0", "--pin", f"{bpffs}/l")
    assert in_process(*words) == DONE
    (entry,) = shown()["xdp"]
    for words_ in ("attach xdp @x2 dev va0 overwrite", "detach xdp dev va0"):
        error = refused(bpffs, words_)
        assert (error["status"], error["code"]) == (1, "net-held-by-link")
        assert error["evidence"][:2] == [
            f"program {progs['x1']} core_test in driver mode, by link {entry['link_id']}",
            f"link {entry['link_id']} is pinned at {bpffs}/l",
        ]
        assert error["remedy"] == f"bpfctl link detach id {entry['link_id']}"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        pytest.param("attach xdp @t1 dev va0", 2, "attach-program-type", id="type"),
        pytest.param("attach tc_egress @x1 dev va0", 2, "attach-program-type", id="type-tc"),
        pytest.param("attach xdp @x1 dev va9", 3, "no-such-interface", id="interface"),
        pytest.param("attach tc_ingress @t1 dev va9", 3, "no-such-interface", id="interface-tc"),
        pytest.param("detach xdp dev va9", 3, "no-such-interface", id="interface-detach"),
        pytest.param("show dev va9", 3, "no-such-interface", id="interface-show"),
        pytest.param("attach xdp @t9 dev va0", 3, "not-found", id="program"),
        pytest.param("detach tc_ingress dev va0", 3, "net-not-attached", id="no-filter"),
        pytest.param("attach tc_ingress @t1 dev va0 replace @t2", 2, "usage", id="replace-filter"),
    ],
)
def test_refusals(
    words: str, status: int, code: str, progs: dict[str, int], bpffs: Path, here: NetNs
) -> None:
    error = refused(bpffs, words)
    assert (error["status"], error["code"]) == (status, code)
    assert shown() == EMPTY
    assert not has_clsact(here)  # what was made for a filter went with it


def test_no_driver_mode(progs: dict[str, int], bpffs: Path) -> None:
    error = refused(bpffs, "attach xdpdrv @x1 dev lo")
    assert "generic mode" in error["remedy"]
    assert (
        'the kernel says: "Underlying driver does not support XDP in native mode"'
        in (error["evidence"])
    )


@needs.TCX_GUARD
def test_who_may_detach_from_tcx(progs: dict[str, int], bpffs: Path, here: NetNs) -> None:
    """The program, open by its pin, is enough; what nobody named takes a capability."""
    made(bpffs, "attach tcx_ingress @t1 dev va0")
    ran = run_with(frozenset(), ["net", "detach", "tcx_ingress", "dev", "va0"], here)
    assert (ran.status, ran.error["code"]) == (4, "capabilities-missing")
    words = ["net", "detach", "tcx_ingress", f"{bpffs}/t1", "dev", "va0"]
    assert run_with(frozenset(), words, here).status == 0
    assert shown() == EMPTY


@pytest.mark.shared
def test_who_may_not(progs: dict[str, int], bpffs: Path, here: NetNs) -> None:
    held = named(["CAP_BPF", "CAP_PERFMON"])
    for kind in ("xdp @x1", "tc_ingress @t1"):
        words = f"net attach {kind} dev va0".replace("@", f"{bpffs}/")
        ran = run_with(held, words.split(), here)
        assert (ran.status, ran.error["code"]) == (4, "capabilities-missing")
        assert "CAP_NET_ADMIN" in ran.error["message"]


# --- filters of tc --------------------------------------------------------------------------------


def test_a_filter_runs_and_xdp_drops_before_it(
    data: Path, bpffs: Path, here: NetNs, tool: Callable[[str], str]
) -> None:
    """Both work on packets: the filter counts them, and none is left for it behind XDP."""
    tool("tc")
    for device, address in (("va0", "192.0.2.1"), ("va1", "192.0.2.2")):
        here.run("ip", "addr", "add", f"{address}/24", "dev", device)
    with counting("on_packet", data, bpffs) as runs:
        made(bpffs, "attach tc_ingress @prog dev va0")
        exec(TALK)
        seen = runs()
        assert seen >= 1
        with load(ProgType.XDP, code=XDP_DROP) as drop:
            pin(drop, f"{bpffs}/drop")
        made(bpffs, "attach xdpgeneric @drop dev va0")
        exec(TALK)
        assert runs() == seen
        made(bpffs, "detach tc_ingress dev va0")
        made(bpffs, "detach xdpgeneric dev va0")


@pytest.mark.explains("tc-filter-there", "tc-filter-taken", "net-which")
def test_filters_of_one_side(progs: dict[str, int], bpffs: Path, here: NetNs) -> None:
    one, two = progs["t1"], progs["t2"]
    made(bpffs, "attach tc ingress @t1 dev va0")
    there = refused(bpffs, "attach tc_ingress @t1 dev va0")
    assert (there["code"], there["evidence"]) == (
        "tc-filter-there", [f"priority 1 handle 0x1: program {one} core_test"],
    )  # fmt: skip
    made(bpffs, "attach tc_ingress @t2 dev va0")
    taken = refused(bpffs, "attach tc_ingress @t2 dev va0 priority 1")
    assert taken["code"] == "tc-filter-taken"
    assert taken["evidence"][0] == f"priority 1 handle 0x1: program {one} core_test"
    made(bpffs, "attach tc_egress @t1 dev va0 priority 7 handle 0x99")
    assert [
        (entry["kind"], entry["id"], entry["priority"], entry["handle"])
        for entry in shown("dev", "va0")["tc"]
    ] == [
        ("clsact/ingress", one, 1, 1),
        ("clsact/ingress", two, 2, 1),
        ("clsact/egress", one, 7, 153),
    ]
    for words in ("attach tc_ingress @t1 dev va0 overwrite", "detach tc_ingress dev va0"):
        which = refused(bpffs, words)
        assert (which["status"], which["code"], len(which["evidence"])) == (2, "net-which", 2)
    made(bpffs, "attach tc_ingress @t1 dev va0 overwrite priority 2")
    made(bpffs, "detach tc_ingress dev va0 priority 1")
    made(bpffs, "attach tc_ingress @t2 dev va0 overwrite")  # the only one there
    assert programs("tc") == [("va0", "clsact/ingress", two), ("va0", "clsact/egress", one)]
    made(bpffs, "detach tc_egress @t1 dev va0")
    made(bpffs, "detach tc_ingress dev va0")
    assert shown() == EMPTY
    assert has_clsact(here)  # as with tc


@pytest.mark.explains("tc-ingress-only")
def test_the_older_queueing_discipline(progs: dict[str, int], bpffs: Path, here: NetNs) -> None:
    here.run("tc", "qdisc", "add", "dev", "va0", "ingress")
    made(bpffs, "attach tc_ingress @t1 dev va0")
    assert programs("tc") == [("va0", "clsact/ingress", progs["t1"])]
    error = refused(bpffs, "attach tc_egress @t1 dev va0")
    assert (error["status"], error["code"]) == (1, "tc-ingress-only")
    made(bpffs, "detach tc_ingress dev va0")


def test_filters_of_others_are_told_as_bpftool_does(
    progs: dict[str, int], bpffs: Path, here: NetNs, tool: Callable[[str], str]
) -> None:
    """Also those that hang on queueing disciplines and classes; key by key."""
    made(bpffs, "attach xdpgeneric @x1 dev va1")
    made(bpffs, "attach tc_egress @t1 dev va0")
    here.run("tc", "filter", "add", "dev", "va0", "ingress", "bpf", "pinned", f"{bpffs}/t2")
    here.run("tc", "qdisc", "add", "dev", "va1", "root", "handle", "1:", "htb")
    here.run(
        *[
            "tc",
            "class",
            "add",
            "dev",
            "va1",
            "parent",
            "1:",
            "classid",
            "1:1",
            "htb",
            "rate",
            "10mbit",
        ]
    )
    for parent in ("1:", "1:1"):
        here.run(*f"tc filter add dev va1 parent {parent} bpf pinned {bpffs}/t2".split())
    compare(here, tool("bpftool"), {"xdp": 1, "tc": 4})
    if path := program(newest_bpftool.NAME):
        compare(here, path, {"xdp": 1, "tc": 4})


def compare(space: NetNs, bpftool: str, counts: dict[str, int]) -> None:
    """Compare what both show key by key: ours has more."""
    (theirs,) = json.loads(space.run(bpftool, "-j", "net", "show"))
    ours = shown()
    for section, count in counts.items():
        assert len(theirs[section]) == count
        same = [
            {key: value for key, value in mine.items() if key in other}
            for mine, other in zip(ours[section], theirs[section], strict=True)
        ]
        assert same == theirs[section]


@needs.ACT_BPF
def test_actions(
    progs: dict[str, int], bpffs: Path, here: NetNs, tool: Callable[[str], str]
) -> None:
    """Programs that filters run as actions, their own or those of other kinds of filters."""
    with load(ProgType.SCHED_ACT, code=RETURN_2) as fd:
        pin(fd, f"{bpffs}/act")
        number = prog_info(fd).id
    here.run("tc", "qdisc", "add", "dev", "va0", "clsact")
    add = ["tc", "filter", "add", "dev", "va0"]
    act = ["action", "bpf", "pinned", f"{bpffs}/act"]
    here.run(*add, "egress", "bpf", "pinned", f"{bpffs}/t1", *act)
    here.run(*add, "ingress", "bpf", "pinned", f"{bpffs}/t1", "action", "ok")
    compare(here, tool("bpftool"), {"tc": 2})
    assert shown()["tc"][1]["act"] == [{"name": "act:[*fsobj]", "id": number}]
    assert in_process("net").out.splitlines()[2].endswith(f", action {number} act:[*fsobj]")
    here.run(*add, "egress", "matchall", *act)
    found = in_process("-j", "why", f"{bpffs}/act", "--for", "0").json
    assert [(one["kind"], one["attached_to"]) for one in found["attachments"]] == [
        ("tc_action", f"number {index}, used by 1 filter") for index in (1, 2)
    ]


@needs.TCX
def test_tcx_as_the_newest_bpftool_tells(progs: dict[str, int], bpffs: Path, here: NetNs) -> None:
    made(bpffs, "attach tcx_ingress @t1 dev va0")
    made(bpffs, "attach tcx_ingress @t2 dev va0 prepend")
    create = ["link", "create", f"{bpffs}/t2", "tcx", "egress", "dev", "va1"]
    assert in_process(*create, "--pin", f"{bpffs}/l") == DONE
    assert [(one["devname"], one["kind"], bool(one["link_id"])) for one in shown()["tc"]] == [
        ("va1", "tcx/egress", True),
        ("va0", "tcx/ingress", False),
        ("va0", "tcx/ingress", False),
    ]
    if path := program(newest_bpftool.NAME):
        compare(here, path, {"tc": 3, "xdp": 0})


# --- tcx without links ----------------------------------------------------------------------------


@needs.TCX
@pytest.mark.explains("attached-there-already")
def test_tcx_without_a_link(progs: dict[str, int], bpffs: Path) -> None:
    one, two = progs["t1"], progs["t2"]
    made(bpffs, "attach tcx_ingress @t1 dev va0")
    made(bpffs, "attach tcx_ingress @t2 dev va0 prepend")
    assert [one_ for _, _, one_ in programs("tc")] == [two, one]
    assert shown()["tc"][0] == {
        "devname": "va0",
        "ifindex": shown()["tc"][1]["ifindex"],
        "kind": "tcx/ingress",
        "name": "core_test",
        "prog_id": two,
        "prog_flags": [],
        "link_id": 0,
        "link_flags": [],
    }
    again = refused(bpffs, "attach tcx ingress @t1 dev va0")
    assert (again["status"], again["code"]) == (1, "attached-there-already")
    assert again["evidence"] == [f"program {one} is there without a link: bpfctl net show dev va0"]
    assert refused(bpffs, "attach tcx_ingress @t1 dev va0 overwrite")["code"] == "net-which"
    made(bpffs, "detach tcx_ingress @t2 dev va0")
    made(bpffs, "attach tcx_ingress @t2 dev va0 overwrite")
    made(bpffs, "attach tcx_ingress @t1 dev va0 replace @t2")
    assert programs("tc") == [("va0", "tcx/ingress", one)]
    found = in_process("-j", "why", f"{bpffs}/t1", "--for", "0").json
    assert [place["kind"] for place in found["attachments"]] == ["tcx"]
    made(bpffs, "detach tcx_ingress dev va0")
    gone = refused(bpffs, "detach tcx_ingress dev va0")
    assert (gone["status"], gone["code"]) == (3, "net-not-attached")


@needs.TCX
@pytest.mark.explains("net-held-by-link")
def test_tcx_by_a_link(progs: dict[str, int], bpffs: Path) -> None:
    create = ["link", "create", f"{bpffs}/t1", "tcx", "ingress", "dev", "va0"]
    assert in_process(*create, "--pin", f"{bpffs}/l") == DONE
    (entry,) = shown()["tc"]
    for words_ in ("attach tcx_ingress @t2 dev va0 overwrite", "detach tcx_ingress dev va0"):
        error = refused(bpffs, words_)
        assert error["code"] == "net-held-by-link"
        assert error["evidence"] == [f"program {progs['t1']}, by link {entry['link_id']}"]


@needs.NETKIT
def test_netkit(progs: dict[str, int], bpffs: Path, here: NetNs) -> None:
    here.run(sys.executable, "-c", MAKE_NETKIT)
    made(bpffs, "attach netkit_primary @t1 dev own0")
    made(bpffs, "attach netkit peer @t2 dev own0")
    kinds = [("own0", "netkit/primary", progs["t1"]), ("own0", "netkit/peer", progs["t2"])]
    assert programs("tc") == kinds
    assert in_process("net").err == ""
    if path := program(newest_bpftool.NAME):
        compare(here, path, {"tc": 2})
    found = in_process("-j", "why", f"{bpffs}/t2", "--for", "0").json
    assert [place["kind"] for place in found["attachments"]] == ["netkit"]
    made(bpffs, "detach netkit_primary @t1 dev own0")
    made(bpffs, "detach netkit_peer dev own0")
    assert shown() == EMPTY


def test_a_kernel_without_tcx(progs: dict[str, int], bpffs: Path) -> None:
    done = net(bpffs, "attach tcx_ingress @t1 dev va0")
    if needs.verdicts()["link tcx"].available:
        assert done.status == 0
        return
    error = done.json["error"]
    assert (done.status, error["code"], error["since"]) == (5, "link-kind-unsupported", "6.6")
    assert "which stays: bpfctl net attach tc_ingress PROG dev va0;" in error["remedy"]
    made(bpffs, "attach tc_ingress @t1 dev va0")
    found = in_process("-j", "why", f"{bpffs}/t1", "--for", "0").json
    assert [place["kind"] for place in found["attachments"]] == ["tc"]


# --- everything else ------------------------------------------------------------------------------


@needs.NETFILTER_LINK
def test_netfilter_and_the_flow_dissector(data: Path, bpffs: Path, here: NetNs) -> None:
    with counting("on_netfilter", data, bpffs):
        hook = ["netfilter", "ipv4", "input", "priority", "-7", "--pin", f"{bpffs}/link"]
        link = in_process("-j", "link", "create", f"{bpffs}/prog", *hook).json
    (bpffs / "prog").unlink()
    with counting("on_flow", data, bpffs):
        words = ("link", "create", f"{bpffs}/prog", "netns", "flow_dissector", "--pin")
        flow = in_process("-j", *words, f"{bpffs}/flow").json
    found = shown()
    assert found["flow_dissector"] == [{"id": flow["prog_id"], "prog_name": "on_flow"}]
    assert {
        "pf": 2,
        "hook": 1,
        "prio": -7,
        "flags": 0,
        "id": link["prog_id"],
        "link_id": link["id"],
        "prog_name": "on_netfilter",
    } in found["netfilter"]  # of others there may be some too
    table = in_process("net").out
    assert f"netfilter ipv4 input, priority -7  {link['prog_id']} on_netfilter" in table


@pytest.mark.shared
def test_the_table(progs: dict[str, int], bpffs: Path, here: NetNs) -> None:
    index = int(here.run("cat", "/sys/class/net/va0/ifindex"))
    made(bpffs, "attach xdpgeneric @x1 dev va0")
    made(bpffs, "attach tc_egress @t1 dev va0")
    lines = in_process("net", "list", "dev", "va0").out.splitlines()
    assert [re.split("  +", line) for line in lines] == [
        ["DEVICE", "PLACE", "PROGRAM", "BY"],
        [f"va0 ({index})", "xdp generic", f"{progs['x1']} core_test", "netlink"],
        [
            *(f"va0 ({index})", "clsact/egress", f"{progs['t1']} core_test"),
            "filter, priority 1 handle 0x1",
        ],
    ]


@pytest.mark.shared
def test_what_may_not_be_seen_is_said(progs: dict[str, int], bpffs: Path, here: NetNs) -> None:
    made(bpffs, "attach xdpgeneric @x1 dev va0")
    ran = run_with(frozenset(), ["net", "show"], here)
    (found,) = json.loads(ran.written)
    (entry,) = found["xdp"]
    assert (ran.status, entry["id"], "link_id" in entry) == (0, progs["x1"], False)
    assert "links could not be listed: that takes CAP_SYS_ADMIN" in ran.said


@pytest.mark.shared
def test_an_interface_that_is_down_is_warned_of(
    progs: dict[str, int], bpffs: Path, here: NetNs
) -> None:
    here.run("ip", "link", "set", "va0", "down")
    done = net(bpffs, "attach tc_ingress @t1 dev va0")
    assert done.err.startswith("bpfctl: warning: va0 is down: nothing runs there until it is up")
