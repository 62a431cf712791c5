"""A trace event that runs the program already: who has it there."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain.failure import Failure
from bpfctl.explain.taken import already
from bpfctl.kernel.uapi import LinkType, ProgType
from bpfctl.objects import attachments_other, link, pin
from bpfctl.objects import holders as who
from bpfctl.objects.attach_targets import Tracepoint
from bpfctl.objects.holders_types import Holder, Holders
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.link import LinkInfo
from bpfctl.objects.link_probes import PerfTracepoint
from tests.unit.objects.records import prog

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = Tracepoint("sched", "sched_switch")


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Failure]:
    """Return a function that makes a failure, on a machine with some links."""

    def make(*links: LinkInfo, number: int = errno.EEXIST) -> Failure:
        held = {(ObjectKind.LINK, 7): [Holder(12, "agent", 17)]}
        monkeypatch.setattr(link, "links", lambda: iter(links))
        monkeypatch.setattr(pin, "pins", lambda: {(ObjectKind.LINK, 7): ["/sys/fs/bpf/x"]})
        monkeypatch.setattr(who, "holders", lambda *_, **__: Holders(held))
        monkeypatch.setattr(attachments_other, "event_attachments", lambda _: iter(()))
        error = SyscallError(number, "BPF_LINK_CREATE", "attach")
        error.knowing(prog(ProgType.TRACEPOINT), TARGET)
        return Failure(error)

    return make


def on(name: str | None, *, program: int | None = None) -> LinkInfo:
    """Return a link to a trace event, of our program or another one."""
    details = PerfTracepoint(name) if name else None
    ours = prog(ProgType.TRACEPOINT).id
    return LinkInfo(7, LinkType.PERF_EVENT, ours if program is None else program, details)


@pytest.mark.parametrize("name", ["sched_switch", None], ids=["told", "before Linux 6.6"])
def test_a_link(name: str | None, failed: Callable[..., Failure]) -> None:
    found = already(failed(on(name)))
    assert found is not None
    assert found.headline == "it is attached to tracepoint sched/sched_switch already"
    assert found.evidence == (
        "link 7 has it there, pinned at /sys/fs/bpf/x, held by agent[12] fd 17",
    )


@pytest.mark.parametrize(
    "there",
    [
        pytest.param((), id="none"),
        pytest.param((on("sched_wakeup"),), id="another event"),
        pytest.param((on("sched_switch", program=9999),), id="another program"),
    ],
)
def test_nobody_is_seen(there: tuple[LinkInfo, ...], failed: Callable[..., Failure]) -> None:
    failure = failed(*there)
    assert already(failure) is None
    assert failure.candidates == ["the program runs there already (check: bpfctl link show)"]


def test_another_errno(failed: Callable[..., Failure]) -> None:
    assert already(failed(on("sched_switch"), number=errno.EINVAL)) is None
