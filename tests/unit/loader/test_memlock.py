"""The limit of locked memory, which maps and programs count against before Linux 5.11."""

from __future__ import annotations

import errno
import resource

import pytest

from bpfctl.elf.spec import MapSpec
from bpfctl.errors import SyscallError
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.loader.pipeline import load
from tests.fakes.kernel import FakeKernel
from tests.unit.loader.objects import object_of

ONE_MAP = object_of(maps=(MapSpec("counts", MapType.ARRAY, 4, 8, 1),))


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """A limit of 64 KiB, and what it becomes."""
    found = [(65536, 65536)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: found[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: found.append(limit))
    return found


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL])
def test_a_load_that_reached_the_limit_is_made_without_it(
    limits: list[tuple[int, int]], number: int
) -> None:
    kernel = FakeKernel()

    def create(*_: object) -> int:
        return -number if limits[-1][0] == 65536 else kernel.fd()

    with kernel.on(Cmd.MAP_CREATE, create), load(ONE_MAP) as loaded:
        assert list(loaded.maps) == ["counts"]
    assert limits[-1] == (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def test_where_it_was_not_the_limit_it_is_put_back(limits: list[tuple[int, int]]) -> None:
    kernel = FakeKernel().on(Cmd.MAP_CREATE, -errno.EPERM)
    with kernel, pytest.raises(SyscallError) as caught:
        load(ONE_MAP)
    assert caught.value.errno == errno.EPERM
    assert limits[-1] == (65536, 65536)
    assert len(kernel.calls) == 2


def test_other_errors_have_nothing_to_do_with_it(limits: list[tuple[int, int]]) -> None:
    kernel = FakeKernel().on(Cmd.MAP_CREATE, -errno.E2BIG)
    with kernel, pytest.raises(SyscallError):
        load(ONE_MAP)
    assert limits == [(65536, 65536)]
