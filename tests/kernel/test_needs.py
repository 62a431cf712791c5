"""Every need that tests declare: the probe and the first version must not contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.linux.version import kernel_version, parse_release
from tests.kernel import needs

if TYPE_CHECKING:
    from tests.kernel.needs import Need


@pytest.mark.parametrize("need", needs.DECLARED, ids=lambda need: need.feature)
def test_a_need_is_met_from_its_version_on(need: Need) -> None:
    found = need.ask()
    assert needs.contradiction(found, need.since) == ""
    assert found.since in ("", need.since), "`feature probe` names another first version"


def test_needs_are_declared_once() -> None:
    assert len({need.feature for need in needs.DECLARED}) == len(needs.DECLARED)


def test_a_test_that_cannot_run_says_what_it_needs() -> None:
    declared = {need.feature: need for need in needs.DECLARED}
    links = declared["tcx links"]
    if kernel_version() >= parse_release("6.6"):
        assert links.complaint == ""
    else:
        assert links.complaint.startswith("needs tcx links (Linux 6.6): the kernel answers ")
