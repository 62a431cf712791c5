"""What `why` makes of attachments and counts."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain import why as module
from bpfctl.explain import why_places
from bpfctl.explain.why_places import lsm_inactive, obstacle
from bpfctl.kernel.netlink import Interface
from bpfctl.kernel.uapi import AttachType, LinkType, ProgType
from bpfctl.linux import cgroups
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects.attachments_types import Attachment, Attachments
from bpfctl.objects.link import LinkInfo
from bpfctl.objects.run_counts import RunCounts
from tests.unit.objects.records import prog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bpfctl.explain.why import Why

    Answer = Callable[..., Why]

EVENT = Attachment("link", "sched_switch", LinkInfo(3, LinkType.RAW_TRACEPOINT, 41))
WALK = Attachment("link", "task", LinkInfo(4, LinkType.ITER, 41, kinds.Iter("task")))
JUMP = Attachment("map", "map 9 calls, entry 2", facts={"map_id": 9})
GONE = Attachment("link", "detached", LinkInfo(5, LinkType.XDP, 41, kinds.Device(0)))


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return a function that asks about a program with these attachments and counts."""

    def ask(
        *found: Attachment,
        kind: int = ProgType.RAW_TRACEPOINT,
        unseen: tuple[str, ...] = (),
        counts: RunCounts | int = errno.EPERM,
        seconds: float = 2,
    ) -> Why:
        def count(fd: Any, duration: float) -> RunCounts:
            assert duration == seconds
            if isinstance(counts, int):
                raise SyscallError(counts, "BPF_ENABLE_STATS", "count runs")
            return counts

        monkeypatch.setattr(module, "prog_info", lambda fd: prog(kind))
        monkeypatch.setattr(module, "attachments", lambda info: Attachments(found, unseen))
        monkeypatch.setattr(module, "_keepers", lambda info: ["pinned at /b/p"])
        monkeypatch.setattr(module, "count_runs", count)
        return module.why(None, seconds)  # type: ignore[arg-type]  # nothing looks at it here

    return ask


def counted(runs: int, before: int = 0, misses: int | None = 0) -> RunCounts:
    return RunCounts(2, runs, before, misses)


def test_without_any(answer: Answer) -> None:
    assert answer().code == "not-attached"
    assert answer().evidence == ("no link runs it", "pinned at /b/p")
    assert answer(unseen=("on a route",)).code == "no-attachment-seen"
    assert answer(unseen=("on a route",)).candidates == ("on a route",)
    assert answer(kind=ProgType.SYSCALL).code == "runs-on-demand"


@pytest.mark.parametrize(
    ("runs", "words"),
    [(1, "it runs: once in 2 s"), (5, "it runs: 5 times in 2 s")],
    ids=["once", "often"],
)
def test_a_run_is_proof(runs: int, words: str, answer: Answer) -> None:
    """Whatever a check thinks of the place: the count is what happened."""
    found = answer(GONE, counts=counted(runs))
    assert (found.code, found.headline) == ("program-runs", words)


def test_none_is_no_proof_of_anything_before(answer: Answer) -> None:
    found = answer(EVENT, counts=counted(0))
    assert found.code == "program-not-hit"
    assert found.headline == "attached, and not hit: no run in the 2 s it was counted"
    assert found.evidence == (
        "link 3, sched_switch",
        "none was counted earlier either, which says nothing: runs count only while asked for",
    )
    assert found.candidates == ("what it waits for does not happen (sched_switch)",)
    earlier = answer(WALK, counts=counted(0, before=7, misses=2))
    assert earlier.evidence[1:] == (
        "left out 2 times: it was running already on that CPU",
        "runs that were counted earlier: 7",
    )
    assert earlier.candidates == ("nobody reads the iterator (check: cat its pin)",)


def test_what_cannot_be_counted(answer: Answer) -> None:
    refused = answer(EVENT)
    assert (refused.code, refused.counts) == ("runs-uncounted", None)
    assert refused.evidence[-1] == "runs cannot be counted here: EPERM"
    assert answer(EVENT, seconds=0).evidence[-1] == "runs were not counted"
    for found in (answer(JUMP, counts=counted(0)), answer(EVENT, kind=ProgType.EXT)):
        assert found.code == "runs-uncounted"
        assert found.evidence[-1].startswith("runs of such a program are counted for the one")


def test_all_places_must_be_blocked(answer: Answer) -> None:
    assert answer(GONE, counts=counted(0)).code == "link-detached"
    some = answer(GONE, EVENT, counts=counted(0))
    assert some.code == "program-not-hit"
    assert some.evidence[0] == "link 5, detached: what the link was attached to is gone"
    assert some.candidates == ("what it waits for does not happen (sched_switch)",)


def test_as_json(answer: Answer) -> None:
    assert answer(GONE, counts=counted(0)).to_json() == {
        "id": 60,
        "name": "guard",
        "type": "raw_tracepoint",
        "code": "link-detached",
        "message": "attached, and does not run: what the link was attached to is gone",
        "attachments": [
            {
                "kind": "link",
                "link_id": 5,
                "attached_to": "detached",
                "problem": {
                    "code": "link-detached",
                    "message": "what the link was attached to is gone",
                    "evidence": [],
                    "remedy": "attach it anew, and let the link go",
                },
            }
        ],
        "counted": {"seconds": 2, "runs": 0, "runs_before": 0, "recursion_misses": 0},
        "evidence": ["link 5, detached: what the link was attached to is gone"],
        "candidates": [],
        "remedy": "attach it anew, and let the link go",
    }


# --- single places -------------------------------------------------------------------------------


def test_two_reasons_are_both_said(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why_places, "_interface", lambda index: DOWN)
    wire = Attachment("xdp", "va0", facts={"ifindex": 3})
    found = answer(GONE, wire, counts=counted(0))
    assert found.headline == "attached, and does not run: nothing can happen at any place"
    assert found.remedy == "attach it anew, and let the link go; ip link set va0 up"


DOWN = Interface(3, "va0", "veth", 1500, is_up=False, has_carrier=False)
SILENT = Interface(3, "va0", "veth", 1500, is_up=True, has_carrier=False)
FINE = Interface(3, "va0", "veth", 1500, is_up=True, has_carrier=True)


@pytest.mark.parametrize(
    ("device", "code"),
    [(DOWN, "interface-down"), (SILENT, "interface-no-carrier"), (FINE, None), (None, None)],
    ids=["down", "silent", "fine", "unknown"],
)
def test_interfaces(
    device: Interface | None, code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(why_places, "_interface", lambda index: device if index == 3 else None)
    found = obstacle(prog(ProgType.XDP), Attachment("xdp", "x", facts={"ifindex": 3}))
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("details", "kind", "expected"),
    [
        pytest.param(kinds.Device(0), LinkType.TCX, True, id="device"),
        pytest.param(kinds.Device(3), LinkType.TCX, False, id="device-that-is-there"),
        pytest.param(kinds.Cgroup(0, AttachType.CGROUP_DEVICE), LinkType.CGROUP, True, id="cgroup"),
        pytest.param(kinds.Netns(0, AttachType.SK_LOOKUP), LinkType.NETNS, True, id="netns"),
        pytest.param(None, 4242, False, id="newer-kind"),
    ],
)
def test_links_that_outlived_their_target(details: Any, kind: int, expected: bool) -> None:
    place = Attachment("link", "x", LinkInfo(5, kind, 41, details))
    found = obstacle(prog(ProgType.XDP), place)
    assert (found is not None) == expected


def test_lsm(monkeypatch: pytest.MonkeyPatch) -> None:
    for lsms, code in ((None, None), (["bpf"], None), (["yama"], "lsm-inactive")):
        monkeypatch.setattr(why_places, "active_lsms", lambda lsms=lsms: lsms)
        found = obstacle(prog(ProgType.LSM), EVENT)
        assert (found.code if found else None) == code
    reason = lsm_inactive()
    assert reason is not None
    assert (reason.evidence, reason.remedy) == (("active LSMs: yama",), "boot with lsm=yama,bpf")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("populated 0\nfrozen 0\n", "cgroup-empty"),
        ("populated 1\nfrozen 0\n", None),
        ("frozen 0\n", None),
        (None, None),
    ],
    ids=["empty", "populated", "strange", "root"],
)
def test_cgroups(
    text: str | None, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web").mkdir()
    if text is not None:
        (tmp_path / "web/cgroup.events").write_text(text)
    monkeypatch.setattr(cgroups, "cgroup2_mounts", lambda: [str(tmp_path)])
    place = Attachment("cgroup", "egress on /web", facts={"path": "/web"})
    found = obstacle(prog(ProgType.CGROUP_SKB), place)
    assert (found.code if found else None) == expected
