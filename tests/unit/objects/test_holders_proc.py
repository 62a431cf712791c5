"""Who holds what, in a /proc made for the test, and what is said of gaps in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from bpfctl.linux import procs
from bpfctl.objects import holders_proc
from bpfctl.objects.holders_proc import View, gap, look
from bpfctl.objects.holders_types import Holder, Sighting
from bpfctl.objects.ids import ObjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROG, MAP, LINK, BTF = ObjectKind.PROG, ObjectKind.MAP, ObjectKind.LINK, ObjectKind.BTF
ALL = frozenset(ObjectKind)


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
        pytest.param(2 * 15, 20, id="enough for processes alone"),
        pytest.param(2 * 15 + 2 * 4 + 13 - 1, 20, id="spent by its descriptors"),
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
