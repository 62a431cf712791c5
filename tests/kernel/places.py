"""Where a test is: in a network namespace of its own."""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kernel.conftest import NetNs

_CLONE_NEWNET = 0x40000000


@contextmanager
def inside(space: NetNs) -> Iterator[None]:
    """Be in a network namespace for a while."""
    with open("/proc/self/ns/net") as before, open(f"/run/netns/{space.name}") as there:  # noqa: PTH123 - for their descriptors
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(before.fileno())


def _enter(number: int) -> None:
    assert ctypes.CDLL(None, use_errno=True).setns(number, _CLONE_NEWNET) == 0
