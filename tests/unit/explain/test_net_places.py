"""What is made of refused filters and of what links hold, where little is to be seen."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain import net_places
from bpfctl.explain.failure import Failure
from bpfctl.kernel.netlink_tc import Filter as Found
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects import net_filter, net_order
from bpfctl.objects.attach_net_targets import Filter, Netkit
from bpfctl.objects.attach_targets import Tcx
from bpfctl.objects.net_order import Entry

IN = AttachType.TCX_INGRESS


def failure(number: int, *facts: object) -> Failure:
    err = SyscallError(number, "netlink", "attach")
    err.knowing(*facts)
    return Failure(err)


def test_other_places() -> None:
    assert net_places.filter_refused(failure(errno.EEXIST, Tcx("e", IN))) is None
    assert net_places.held_by_link(failure(errno.EBUSY, Filter("e", IN))) is None
    assert net_places.held_by_link(failure(errno.EINVAL, Tcx("e", IN))) is None
    assert net_places.filter_refused(failure(errno.EINVAL, Filter("e", IN))) is None


@pytest.mark.parametrize(
    ("priority", "there", "code"),
    [
        pytest.param(0, [Found(3, 0, 1, 1, 7, "x")], None, id="no-priority"),
        pytest.param(2, [], None, id="gone"),
        pytest.param(2, [Found(3, 0, 2, 1, 7, "x")], "tc-filter-taken", id="taken"),
    ],
)
def test_a_filter_there(
    priority: int, there: list[Found], code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(net_filter, "find_filters", lambda target: there)
    found = net_places.filter_refused(failure(errno.EEXIST, Filter("e", IN, priority)))
    assert (found and found.code) == code


@pytest.mark.parametrize(
    ("config", "evidence", "candidates"),
    [
        pytest.param(
            {"CONFIG_NET_CLS_BPF": "m"}, ["CONFIG_NET_SCH_INGRESS is not set"], [], id="known"
        ),
        pytest.param(
            None,
            [],
            [
                "the kernel is built without CONFIG_NET_CLS_BPF",
                "the kernel is built without CONFIG_NET_SCH_INGRESS",
            ],
            id="unknown",
        ),
    ],
)
def test_a_kernel_without_filters(
    config: dict[str, str] | None, evidence: list[str], candidates: list[str]
) -> None:
    refused = failure(errno.ENOENT, Filter("e", IN))
    refused.__dict__["config"] = config
    assert net_places.filter_refused(refused) is None
    assert (refused.evidence, refused.candidates) == (evidence, candidates)


@pytest.mark.parametrize(
    ("there", "code"),
    [
        pytest.param([Entry(7), Entry(8, 21)], "net-held-by-link", id="link"),
        pytest.param([Entry(7)], None, id="no-link"),
        pytest.param(SyscallError(errno.EPERM, "BPF_PROG_QUERY", "ask"), None, id="denied"),
    ],
)
@pytest.mark.parametrize(
    "target", [Tcx("lo", IN), Netkit("lo", AttachType.NETKIT_PEER)], ids=["tcx", "netkit"]
)
def test_links(
    there: Any, code: str | None, target: Tcx | Netkit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def entries(index: int, side: int) -> list[Entry]:
        assert side == target.attach_type
        if isinstance(there, Exception):
            raise there
        return list(there)

    monkeypatch.setattr(net_order, "entries", entries)
    found = net_places.held_by_link(failure(errno.EBUSY, target))
    assert (found and found.code) == code
    if found:
        assert found.evidence == ("program 8, by link 21",)
