"""Who holds what: the choice of the way, and the answer."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

import pytest

from bpfctl.errors import SyscallError
from bpfctl.linux import procs
from bpfctl.objects import holders as chooser
from bpfctl.objects import holders_iter
from bpfctl.objects.holders import Holder, Holders, holders
from bpfctl.objects.holders_proc import View
from bpfctl.objects.holders_types import Sighting, collect
from bpfctl.objects.ids import ObjectKind

if TYPE_CHECKING:
    from collections.abc import Collection

PROG, MAP = ObjectKind.PROG, ObjectKind.MAP
ME: Final = os.getpid()

# --- the choice

HELD: Final = Sighting((MAP, 5), Holder(20, "agent", 3))
MINE: Final = Sighting((MAP, 5), Holder(ME, "me", 3))
OTHER: Final = Sighting((PROG, 5), Holder(20, "agent", 4))
WHOLE: Final = View([HELD, MINE, OTHER], [1, 20, ME], 0, ME, complete=True)
REFUSED: Final = View([MINE], [1, 20, ME], 1, ME, complete=True)
STOPPED: Final = View([], [1, 20, ME], 0, ME, complete=False)


class Ways:
    """Both ways, answering as a test says; `calls` lists what was asked of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.views = [WHOLE]
        self.first_namespace = True
        self.refuse = False
        monkeypatch.setattr(chooser, "look", self._look)
        monkeypatch.setattr(holders_iter, "iterate", self._iterate)
        for module in (chooser, procs):
            monkeypatch.setattr(module, "in_first_pid_namespace", lambda: self.first_namespace)
        monkeypatch.setattr(os, "geteuid", lambda: 7)

    def _look(self, kinds: Collection[ObjectKind], budget: int | None = None) -> View:
        names = ",".join(sorted(kind.name for kind in kinds))
        self.calls.append(f"proc {names}" + (" in time" if budget else ""))
        return self.views.pop(0)

    def _iterate(self) -> list[Sighting]:
        self.calls.append("iterator")
        if self.refuse:
            raise SyscallError(errno.EPERM, "BPF_PROG_LOAD", "load")
        return [OTHER, MINE, HELD]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    return Ways(monkeypatch)


EVERYTHING: Final = {(PROG, 5): [OTHER.holder], (MAP, 5): [HELD.holder]}
REFUSAL: Final = "holders: 1 of 3 processes may not be looked into: root can"


def test_proc_is_enough(ways: Ways) -> None:
    assert holders() == Holders(EVERYTHING)
    assert ways.calls == ["proc BTF,LINK,MAP,PROG in time"]


def test_for_nothing_nothing_is_looked_at(ways: Ways) -> None:
    assert holders([]) == Holders({})
    assert ways.calls == []


def test_only_what_is_wanted(ways: Ways) -> None:
    assert holders([(MAP, 5), (MAP, 6)]) == Holders({(MAP, 5): [HELD.holder]})
    assert ways.calls == ["proc MAP in time"]


def test_our_own_descriptors_on_request(ways: Ways) -> None:
    both = sorted([HELD.holder, MINE.holder], key=lambda holder: holder.pid)
    assert holders({(MAP, 5)}, include_self=True) == Holders({(MAP, 5): both})


@pytest.mark.parametrize("view", [REFUSED, STOPPED], ids=["refused", "out of time"])
def test_iterator_takes_over(ways: Ways, view: View) -> None:
    ways.views = [view]
    assert holders() == Holders(EVERYTHING)
    assert ways.calls == ["proc BTF,LINK,MAP,PROG in time", "iterator"]


def test_iterator_is_refused_and_proc_has_a_gap(ways: Ways) -> None:
    ways.views, ways.refuse = [REFUSED], True
    assert holders() == Holders({}, REFUSAL)
    assert ways.calls == ["proc BTF,LINK,MAP,PROG in time", "iterator"]


@pytest.mark.parametrize("then", [WHOLE, REFUSED], ids=["whole", "refused"])
def test_iterator_is_refused_and_proc_takes_its_time(ways: Ways, then: View) -> None:
    ways.views, ways.refuse = [STOPPED, then], True
    assert holders() == (Holders(EVERYTHING) if then is WHOLE else Holders({}, REFUSAL))
    assert ways.calls == ["proc BTF,LINK,MAP,PROG in time", "iterator", "proc BTF,LINK,MAP,PROG"]


def test_no_iterator_in_another_pid_namespace(ways: Ways) -> None:
    ways.views, ways.first_namespace = [STOPPED, WHOLE], False
    note = "holders: only processes of this PID namespace can be seen"
    assert holders() == Holders(EVERYTHING, note)
    assert "iterator" not in ways.calls


# --- results


def test_what_was_seen_twice_counts_once() -> None:
    later = Sighting((MAP, 5), Holder(20, "agent", 12))
    assert collect([later, OTHER, HELD, later]) == Holders(
        {(MAP, 5): [HELD.holder, later.holder], (PROG, 5): [OTHER.holder]}
    )


def test_holder_in_words_and_json() -> None:
    holder = Holder(812, "xdp-filterd", 9)
    assert str(holder) == "xdp-filterd[812] fd 9"
    assert holder.to_json() == {"pid": 812, "comm": "xdp-filterd", "fd": 9}
