"""Flags of an attachment to a cgroup that exclude each other."""

from __future__ import annotations

import errno

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain.cgroup_flags import exclusive
from bpfctl.explain.failure import Failure
from bpfctl.kernel.attr import prog_attach
from bpfctl.kernel.uapi import AttachType

CONNECT4 = AttachType.CGROUP_INET4_CONNECT


def failed(flags: int, attach_type: int = CONNECT4, number: int = errno.EINVAL) -> Failure:
    error = SyscallError(number, "BPF_PROG_ATTACH", "attach program")
    error.request = prog_attach(attach_type=attach_type, target_fd=3, prog_fd=4, attach_flags=flags)
    return Failure(error)


@pytest.mark.parametrize(
    ("flags", "rule", "given"),
    [
        pytest.param(3, "override and multi", "override, multi (0x3)", id="both"),
        pytest.param(4, "replace goes with multi only", "replace (0x4)", id="replace alone"),
        pytest.param(
            0xE, "replace, and before or after", "multi, replace, before (0xe)", id="before"
        ),
        pytest.param(
            6, "replace and the program to replace go together", "multi, replace (0x6)", id="none"
        ),
    ],
)
def test_rules(flags: int, rule: str, given: str) -> None:
    found = exclusive(failed(flags))
    assert found is not None
    assert found.headline == f"the flags of this attachment exclude each other: {rule}"
    assert found.evidence == (f"flags given: {given}",)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(failed(2), id="no rule is broken"),
        pytest.param(failed(3, number=errno.EPERM), id="another errno"),
        pytest.param(failed(3, AttachType.SK_SKB_STREAM_PARSER), id="no cgroup"),
    ],
)
def test_other_causes(failure: Failure) -> None:
    assert exclusive(failure) is None
