"""The limit of locked memory is raised as far as it goes, and put back."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from bpfctl.linux.memlock import MemlockLimit

if TYPE_CHECKING:
    from collections.abc import Callable

INFINITY = resource.RLIM_INFINITY
Limits = tuple[int, int]


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Limits]]:
    """Return a function that sets the limits, and gives the list of what they are set to."""

    def be(soft: int, hard: int, *, may_raise: bool) -> list[Limits]:
        now = [(soft, hard)]

        def change(which: int, new: Limits) -> None:
            is_more = new[1] > now[-1][1] or (new[1] == INFINITY != now[-1][1])
            if is_more and not may_raise:
                raise ValueError("not allowed to raise maximum limit")
            now.append(new)

        monkeypatch.setattr(resource, "getrlimit", lambda which: now[-1])
        monkeypatch.setattr(resource, "setrlimit", change)
        return now

    return be


@pytest.mark.parametrize(
    ("before", "may_raise", "after", "lifted"),
    [
        pytest.param((65536, 65536), True, (INFINITY, INFINITY), True, id="root"),
        pytest.param((65536, 1 << 20), False, (1 << 20, 1 << 20), True, id="to the hard limit"),
        pytest.param((1 << 20, 1 << 20), False, (1 << 20, 1 << 20), False, id="no further"),
        pytest.param((INFINITY, INFINITY), True, (INFINITY, INFINITY), False, id="none"),
    ],
)
def test_lift(
    before: Limits,
    may_raise: bool,
    after: Limits,
    lifted: bool,
    limit: Callable[..., list[Limits]],
) -> None:
    now = limit(*before, may_raise=may_raise)
    one = MemlockLimit()
    assert one.lift() is lifted
    assert now[-1] == after
    assert one.lift() is False
    if lifted:
        one.restore()
        assert now[-1] == before
