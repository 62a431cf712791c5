"""Flags of programs that a kernel does not know."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain.failure import Failure
from bpfctl.explain.program_flags import unknown_flag
from bpfctl.kernel.attr import prog_load
from bpfctl.kernel.bpf import bpf, replaced
from bpfctl.kernel.flags import ProgFlags
from bpfctl.kernel.uapi import ProgType

if TYPE_CHECKING:
    from collections.abc import Callable

FRAGS = ProgFlags.XDP_HAS_FRAGS


def refused(flags: int, kind: int = ProgType.XDP, number: int = errno.EINVAL) -> Failure:
    attr = prog_load(prog_type=kind, insns=bytes(16), license="GPL", name="x", prog_flags=flags)
    with replaced(lambda *_: -number), pytest.raises(SyscallError) as caught:
        bpf(attr)
    return Failure(caught.value)


def knowing(flags: int) -> Callable[[int, Any, int], int]:
    """Answer as a kernel that knows some flags."""

    def enter(cmd: int, union: Any, size: int) -> int:
        if union.prog_flags & ~flags:
            return -errno.EINVAL
        return os.open(os.devnull, os.O_RDONLY)

    return enter


@pytest.mark.parametrize(
    ("flags", "since", "remedy"),
    [
        pytest.param(FRAGS, "5.18", "for packets that lie in one buffer", id="frags"),
        pytest.param(
            ProgFlags.TEST_REG_INVARIANTS, "6.8", "use Linux 6.8 or later", id="invariants"
        ),
    ],
)
def test_a_flag_that_is_refused_alone(flags: int, since: str, remedy: str) -> None:
    with replaced(knowing(0)):
        found = unknown_flag(refused(flags))
    assert found is not None
    assert (found.code, found.since) == ("program-flag-unknown", since)
    assert remedy in str(found.remedy)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(refused(0), id="no flags"),
        pytest.param(refused(FRAGS, number=errno.EPERM), id="another errno"),
        pytest.param(refused(FRAGS, kind=99), id="an unknown type"),
        pytest.param(refused(ProgFlags.SLEEPABLE), id="a flag of all kernels"),
    ],
)
def test_nothing_is_blamed(failure: Failure) -> None:
    with replaced(knowing(0)):
        assert unknown_flag(failure) is None


def test_a_flag_that_is_taken_is_not_blamed() -> None:
    with replaced(knowing(FRAGS)):
        assert unknown_flag(refused(FRAGS)) is None


def test_nor_one_of_programs_that_are_refused_without_it_too() -> None:
    with replaced(lambda *_: -errno.EINVAL):
        assert unknown_flag(refused(FRAGS)) is None
