"""Every need that tests declare: the probe and the first version must not contradict each other."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bpfctl.features.verdict import available, not_available, unknown
from tests.kernel import needs
from tests.kernel.needs import Need

if TYPE_CHECKING:
    from bpfctl.features.verdict import Verdict


@pytest.mark.parametrize("need", needs.DECLARED, ids=lambda need: need.feature)
def test_a_need_is_met_from_its_version_on(need: Need) -> None:
    found = need.ask()
    assert needs.contradiction(found, need.since) == ""
    assert found.since in ("", need.since), "`feature probe` names another first version"


def test_needs_are_declared_once() -> None:
    assert len({need.feature for need in needs.DECLARED}) == len(needs.DECLARED)


OLD, NEW = "2.6", "99.0"


@pytest.mark.parametrize(
    ("verdict", "since", "said"),
    [
        pytest.param(available(), OLD, "", id="new enough"),
        pytest.param(available(), NEW, "available, but since 99.0 only", id="too early"),
        pytest.param(not_available("EINVAL"), NEW, "", id="too old"),
        pytest.param(
            not_available("EINVAL"), OLD, "not available (EINVAL), but since 2.6", id="lacking"
        ),
        pytest.param(not_available("CONFIG_X is not set"), OLD, "", id="not built"),
        pytest.param(unknown("EPERM", errno.EPERM), OLD, "", id="denied"),
        pytest.param(unknown("ENOMEM", errno.ENOMEM), OLD, "cannot tell: ENOMEM", id="unclear"),
    ],
)
def test_contradictions(verdict: Verdict, since: str, said: str) -> None:
    assert needs.contradiction(verdict, since) == said


@pytest.mark.parametrize(
    ("verdict", "complaint"),
    [
        pytest.param(available(), "", id="there"),
        pytest.param(not_available("EINVAL"), "needs x (Linux 2.6): EINVAL", id="lacking"),
        pytest.param(unknown("EPERM", errno.EPERM), "needs x (Linux 2.6): EPERM", id="denied"),
    ],
)
def test_why_a_test_does_not_run(verdict: Verdict, complaint: str) -> None:
    assert Need("x", OLD, lambda: verdict).complaint == complaint
