"""What is at tcx and netkit, where the kernel or the device does not answer."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.kernel.netlink import Interface
from bpfctl.kernel.uapi import Cmd
from bpfctl.objects.net_list import ordered
from tests.fakes.kernel import FakeKernel

CARD = Interface(3, "eth7", "", 1500, is_up=True, has_carrier=True)
PAIR = Interface(4, "nk0", "netkit", 1500, is_up=True, has_carrier=True)


def empty(union: Any, size: int) -> int:
    """Answer that no program is there."""
    del size
    union.query.count = 0
    return 0


@pytest.mark.parametrize(
    ("device", "answers"),
    [
        pytest.param(CARD, [-errno.EINVAL], id="before-6.6"),
        pytest.param(CARD, [empty], id="nothing-there"),
        pytest.param(PAIR, [empty, empty, -errno.EACCES], id="the-other-of-a-pair"),
    ],
)
def test_nothing(device: Interface, answers: list[Any]) -> None:
    with FakeKernel().on(Cmd.PROG_QUERY, *answers):
        assert list(ordered(device)) == []


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.ENOMEM])
def test_refusals(number: int) -> None:
    with (
        FakeKernel().on(Cmd.PROG_QUERY, -number),
        pytest.raises(SyscallError, match="list the programs of an interface") as caught,
    ):
        list(ordered(PAIR))
    assert caught.value.errno == number
