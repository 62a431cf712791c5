"""Who holds what: in a made-up /proc, and by which way."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

import pytest

from bpfctl.errors import SyscallError
from bpfctl.linux import procs
from bpfctl.objects import holders as chooser
from bpfctl.objects import holders_iter, holders_proc
from bpfctl.objects.holders import Holder, Holders, holders
from bpfctl.objects.holders_proc import View, gap, look
from bpfctl.objects.holders_types import Sighting, collect
from bpfctl.objects.ids import ObjectKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

PROG, MAP, LINK, BTF = ObjectKind.PROG, ObjectKind.MAP, ObjectKind.LINK, ObjectKind.BTF
ALL = frozenset(ObjectKind)

# --- /proc


class FakeProc:
    """A directory that looks like /proc, with this process in it as 99."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "self").symlink_to("99")
        self.process(1, "init", {})

    def process(
        self, pid: int, comm: str, files: Mapping[int, tuple[str, str]], flags: int = 0
    ) -> None:
        place = self.root / str(pid)
        for folder in ("fd", "fdinfo"):
            (place / folder).mkdir(parents=True)
        (place / "comm").write_text(comm + "\n")
        (place / "stat").write_text(f"{pid} ({comm}) S 1 1 1 0 -1 {flags} 0 0")
        for fd, (target, info) in files.items():
            (place / "fd" / str(fd)).symlink_to(target)
            (place / "fdinfo" / str(fd)).write_text(f"pos:\t0\nflags:\t02000002\n{info}")


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path)


AGENT: Final = {
    0: ("/dev/null", ""),
    3: ("anon_inode:bpf-prog", "prog_type:\t17\nprog_id:\t41\n"),
    4: ("anon_inode:bpf-map", "map_id:\t5\n"),
    5: ("anon_inode:bpf_link", "link_type:\titer\nlink_id:\t6\nprog_id:\t41\n"),
    6: ("anon_inode:btf", "btf_id:\t7\n"),
    7: ("anon_inode:[eventpoll]", "tfd: 1\n"),
    8: ("/tmp/bpf-map", "map_id:\t5\n"),
}


def test_proc_shows_all_kinds(proc: FakeProc) -> None:
    proc.process(20, "a) 5\n(b", AGENT)
    view = look(ALL, proc=str(proc.root))
    view.sightings.sort(key=lambda seen: seen.holder.fd)  # a directory has no order
    assert view == View(
        [
            Sighting((PROG, 41), Holder(20, "a) 5\n(b", 3)),
            Sighting((MAP, 5), Holder(20, "a) 5\n(b", 4)),
            Sighting((LINK, 6), Holder(20, "a) 5\n(b", 5)),
            Sighting((BTF, 7), Holder(20, "a) 5\n(b", 6)),
        ],
        listed=[1, 20],
        refused=0,
        own_pid=99,
        complete=True,
    )


def test_proc_reads_only_what_is_wanted(proc: FakeProc, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.process(20, "agent", AGENT)
    read: list[int] = []

    def read_fdinfo(pid: int, number: int, proc: str) -> dict[str, str]:
        read.append(number)
        return {"link_id": "6"}

    monkeypatch.setattr(holders_proc, "read_fdinfo", read_fdinfo)
    view = look({LINK}, proc=str(proc.root))
    assert (view.sightings, read) == ([Sighting((LINK, 6), Holder(20, "agent", 5))], [5])


@pytest.mark.parametrize("info", [None, "", "map_id:\tx\n", "prog_id:\t5\n"])
def test_a_descriptor_that_became_another_is_passed_over(proc: FakeProc, info: str | None) -> None:
    proc.process(20, "agent", {4: ("anon_inode:bpf-map", info or "")})
    if info is None:
        (proc.root / "20/fdinfo/4").unlink()
    assert look(ALL, proc=str(proc.root)).sightings == []


def test_a_process_that_is_gone_is_passed_over(
    proc: FakeProc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procs, "process_ids", lambda _: [1, 4242])
    view = look(ALL, proc=str(proc.root))
    assert (view.sightings, view.refused, view.complete) == ([], 0, True)


def test_refusals_are_counted_without_kernel_threads(
    proc: FakeProc, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc.process(20, "agent", AGENT)
    proc.process(21, "kworker", {}, flags=0x00200040)
    monkeypatch.setattr(procs, "descriptors", lambda pid, proc: None)
    view = look(ALL, proc=str(proc.root))
    assert (view.listed, view.refused) == ([1, 20, 21], 2)


@pytest.mark.parametrize("stat", [b"", b"7 (x) S 1", b"7 (x) S 1 1 1 0 -1 f 0"])
def test_a_stat_that_makes_no_sense_is_no_kernel_thread(proc: FakeProc, stat: bytes) -> None:
    (proc.root / "1/stat").write_bytes(stat)
    assert not procs.is_kernel_thread(1, str(proc.root))


@pytest.mark.parametrize(
    ("budget", "seen"),
    [
        pytest.param(2 * 15 - 1, None, id="too many processes"),
        pytest.param(2 * 15, 20, id="spent by the first"),
        pytest.param(2 * 15 + 2 * 4 + 13, 21, id="enough"),
    ],
)
def test_budget(proc: FakeProc, budget: int, seen: int | None) -> None:
    (proc.root / "1").rename(proc.root / "not-a-process")
    proc.process(20, "a", {0: ("/dev/null", ""), 4: ("anon_inode:bpf-map", "map_id:\t5\n")})
    proc.process(21, "b", {0: ("/dev/null", "")})
    view = look(ALL, budget, str(proc.root))
    assert view.complete is (seen == 21)
    assert [one.holder.pid for one in view.sightings] == ([20] if seen else [])


def test_without_proc_nothing_is_seen(tmp_path: Path) -> None:
    assert look(ALL, proc=str(tmp_path / "none")) == View([], [], 0, None, complete=True)


# --- what is said of gaps

ME: Final = os.getpid()


@pytest.mark.parametrize(
    ("listed", "refused", "own", "first", "uid", "words"),
    [
        pytest.param([1, ME], 0, ME, True, 0, None, id="all seen"),
        pytest.param([], 0, None, True, 0, "nobody could be looked for: there is no /proc here"),
        pytest.param(
            [1, 5, ME], 2, ME, True, 7, "2 of 3 processes may not be looked into: root can"
        ),
        pytest.param(
            [1, 5, ME],
            1,
            ME,
            True,
            0,
            "1 of 3 processes may not be looked into (needs CAP_SYS_PTRACE)",
        ),
        pytest.param([ME], 0, ME, True, 7, "/proc hides processes from us (hidepid)"),
        pytest.param([1, ME], 0, ME, False, 0, "only processes of this PID namespace can be seen"),
        pytest.param([1, ME], 0, ME, None, 0, "only processes of this PID namespace can be seen"),
        pytest.param(
            [1, 2],
            0,
            None,
            True,
            0,
            "/proc is of another PID namespace: processes are those, and numbered as, in there",
        ),
        pytest.param(
            [1, ME],
            1,
            ME,
            False,
            7,
            "only processes of this PID namespace can be seen; "
            "1 of 2 processes may not be looked into: root can",
            id="several",
        ),
    ],
)
def test_gaps_in_words(
    monkeypatch: pytest.MonkeyPatch,
    listed: list[int],
    refused: int,
    own: int | None,
    first: bool | None,
    uid: int,
    words: str | None,
) -> None:
    monkeypatch.setattr(procs, "in_first_pid_namespace", lambda: first)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    said = gap(View([], listed, refused, own, complete=True))
    assert said == (f"holders: {words}" if words else None)


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
