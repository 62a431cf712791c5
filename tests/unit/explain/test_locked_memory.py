"""The limit of locked memory as a cause."""

from __future__ import annotations

import errno
import os
import resource
from typing import Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain.failure import Failure
from bpfctl.explain.locked_memory import exhausted
from bpfctl.features import memlock
from bpfctl.kernel.attr import map_create
from bpfctl.kernel.bpf import bpf, replaced
from bpfctl.kernel.uapi import MapType


def refuses(cmd: int, union: Any, size: int) -> int:
    return -errno.EPERM


def takes_small_ones(cmd: int, union: Any, size: int) -> int:
    assert (union.map_type, union.max_entries) == (MapType.HASH, 1)
    return os.open(os.devnull, os.O_RDONLY)


@pytest.fixture
def refused() -> Failure:
    attr = map_create(map_type=MapType.HASH, key_size=4, value_size=4, max_entries=10**6, name="m")
    with replaced(refuses), pytest.raises(SyscallError) as caught:
        bpf(attr)
    return Failure(caught.value)


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memlock, "memlock_counts", lambda: True)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (65536, 65536))


def test_the_same_map_in_small_confirms_it(refused: Failure) -> None:
    with replaced(takes_small_ones):
        found = exhausted(refused)
    assert found is not None
    assert found.code == "memlock-limit-reached"
    assert found.headline.endswith(": the limit of locked memory is reached")


def test_else_it_is_a_candidate(refused: Failure) -> None:
    with replaced(refuses):
        assert exhausted(refused) is None
    assert refused.candidates == ["the limit of locked memory (check: ulimit -l unlimited)"]


def test_kernels_that_do_not_count(refused: Failure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memlock, "memlock_counts", lambda: False)
    assert exhausted(refused) is None
    assert refused.candidates == []


def test_without_a_limit(refused: Failure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert exhausted(refused) is None
    assert refused.candidates == []
