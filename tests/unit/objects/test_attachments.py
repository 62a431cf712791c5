"""Where a program runs: what several searches find, and what they cannot see."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel.uapi import Cmd, LinkType, ProgType
from bpfctl.objects import attachments as module
from bpfctl.objects import attachments_other as other
from bpfctl.objects.attachments import attachments
from bpfctl.objects.attachments_types import Attachment
from bpfctl.objects.link import LinkInfo
from bpfctl.objects.run_counts import count_runs
from tests.fakes.kernel import FakeKernel
from tests.unit.objects.records import prog

if TYPE_CHECKING:
    from collections.abc import Iterator

LINKED = Attachment("link", "va0", LinkInfo(3, LinkType.XDP, 60), {"ifindex": 3})


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that gives what these searches make of a program."""

    def ask(kind: int, *searches: Any, links: tuple[Attachment, ...] = ()) -> Any:
        monkeypatch.setattr(module, "_links", lambda info: iter(links))
        monkeypatch.setattr(module, "searches", lambda info: iter(searches))
        return attachments(prog(kind))

    return ask


def yields(*places: Attachment) -> tuple[Any, str]:
    return (lambda info: iter(places)), "in a place"


def test_a_link_is_not_found_twice(found: Any) -> None:
    """An interface lists the programs of links as well."""
    again = Attachment("xdp", "va0 (driver mode)", facts={"ifindex": 3})
    another = Attachment("xdp", "va1 (driver mode)", facts={"ifindex": 4})
    tail = Attachment("map", "map 7, entry 1", facts={"map_id": 7})
    seen = found(ProgType.XDP, yields(again, another), yields(tail), links=(LINKED,))
    assert seen.found == (LINKED, another, tail)
    (elsewhere,) = seen.unseen
    assert elsewhere.startswith("in another network namespace")


@pytest.mark.parametrize(
    ("err", "words"),
    [
        pytest.param(
            SyscallError(errno.EPERM, "BPF_TASK_FD_QUERY", "ask"),
            "operation not permitted",
            id="bpf",
        ),
        pytest.param(OSError(errno.EACCES, "Permission denied"), "permission denied", id="os"),
    ],
)
def test_what_fails_was_not_seen(err: Exception, words: str, found: Any) -> None:
    def fails(info: Any) -> Iterator[Attachment]:
        raise err
        yield LINKED

    seen = found(ProgType.TRACEPOINT, (fails, "on a perf event"))
    assert seen.unseen == (f"on a perf event (not seen: {words})",)


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        pytest.param(ProgType.XDP, ["on an interface", "in a map"], id="xdp"),
        pytest.param(
            ProgType.SCHED_CLS, ["as a filter of tc", "at tcx or netkit", "in a map"], id="tc"
        ),
        pytest.param(ProgType.CGROUP_SKB, ["in a cgroup", "in a map"], id="cgroup"),
        pytest.param(ProgType.KPROBE, ["on a perf event", "in a map"], id="kprobe"),
        pytest.param(ProgType.SK_MSG, ["in a map of sockets", "in a map"], id="sockets"),
        pytest.param(ProgType.STRUCT_OPS, ["in a struct_ops map", "in a map"], id="struct_ops"),
        pytest.param(ProgType.TRACING, ["in a map"], id="tracing"),
        pytest.param(4242, ["in a map"], id="newer"),
    ],
)
def test_where_is_looked(kind: int, places: list[str]) -> None:
    assert [words for _, words in other.searches(prog(kind))] == places


def test_counts_are_those_of_the_time() -> None:
    """And statistics are not left on."""
    kernel = FakeKernel()
    shown = iter([(5, 1), (12, 4)])

    def info(union: Any, size: int) -> int:
        from bpfctl.kernel.libc import ffi

        struct = ffi.cast("struct bpf_prog_info *", union.info.info)
        struct.run_cnt, struct.recursion_misses = next(shown)
        return 0

    kernel.on(Cmd.ENABLE_STATS, kernel.new_fd).on(Cmd.OBJ_GET_INFO_BY_FD, info)
    with kernel:
        counts = count_runs(7, 0)  # type: ignore[arg-type]  # a number is a descriptor too
    assert (counts.runs, counts.before, counts.misses) == (7, 5, 3)
