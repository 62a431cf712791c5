"""Who holds what, on the running kernel: objects of this test, held by it and by a child."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.kernel import bpf as core
from bpfctl.kernel.attr import btf_load, link_create, map_create, prog_load
from bpfctl.kernel.bpf import bpf_fd, replaced
from bpfctl.kernel.uapi import AttachType, Cmd, MapType, ProgType
from bpfctl.objects import holders as chooser
from bpfctl.objects.btf import kernel_btf
from bpfctl.objects.holders import Holder, holders
from bpfctl.objects.holders_iter import iterate
from bpfctl.objects.holders_layout import find_layout
from bpfctl.objects.holders_proc import gap, look
from bpfctl.objects.holders_program import LICENSE, assemble
from bpfctl.objects.holders_types import Sighting, collect
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import id_of
from tests.builders.btf import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.holders_types import Object

ALL = frozenset(ObjectKind)
COMM = "a\x1b[1m) S\n\udcff"
NOBODY = 65534
ROOT = Path(__file__).parents[2]
CLONE_FILES = 0x400

# A child that calls itself COMM, says that it is there, and waits until its input ends.
CHILD = r"printf 'a\033[1m) S\n\377' > /proc/$$/comm; echo; read x"


@dataclass(frozen=True)
class Held:
    """Objects that this process has open, one of each kind, and a child with the same numbers."""

    fds: dict[Object, Fd]
    child: int

    def by(self, pid: int, comm: str) -> set[tuple[Object, Holder]]:
        return {(what, Holder(pid, comm, fd.fileno())) for what, fd in self.fds.items()}

    def expected(self) -> set[tuple[Object, Holder]]:
        own = Path("/proc/self/comm").read_text().rstrip("\n")
        return self.by(self.child, COMM) | self.by(os.getpid(), own)

    def among(self, sightings: list[Sighting]) -> set[tuple[Object, Holder]]:
        found = [(seen.what, seen.holder) for seen in sightings if seen.what in self.fds]
        assert len(found) == len(set(found)), "something was reported twice"
        return set(found)


def _objects(stack: ExitStack) -> dict[Object, Fd]:
    """Make one object of each kind; the link is an iterator's, which runs when it is read."""
    layout = find_layout(kernel_btf())
    program = stack.enter_context(
        bpf_fd(
            prog_load(
                prog_type=ProgType.TRACING,
                expected_attach_type=AttachType.TRACE_ITER,
                attach_btf_id=layout.function_id,
                insns=assemble(layout),
                license=LICENSE,
            )
        )
    )
    made = {
        ObjectKind.PROG: program,
        ObjectKind.MAP: bpf_fd(
            map_create(map_type=MapType.ARRAY, key_size=4, value_size=8, max_entries=1)
        ),
        ObjectKind.LINK: bpf_fd(link_create(prog_fd=program, attach_type=AttachType.TRACE_ITER)),
        ObjectKind.BTF: bpf_fd(btf_load(build((t.Int(1, "int", 4, 1, 0, 32),)))),
    }
    return {(kind, id_of(kind, stack.enter_context(fd))): fd for kind, fd in made.items()}


@contextmanager
def _child(*fds: int) -> Iterator[int]:
    with subprocess.Popen(
        ["sh", "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=fds
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid


@pytest.fixture
def held() -> Iterator[Held]:
    with ExitStack() as stack:
        fds = _objects(stack)
        numbers = [fd.fileno() for fd in fds.values()]
        yield Held(fds, stack.enter_context(_child(*numbers)))


# --- both ways


def test_both_ways_see_the_same(held: Held) -> None:
    assert held.among(iterate()) == held.expected()
    assert held.among(look(ALL).sightings) == held.expected()
    assert gap(look(ALL)) is None


def test_iterator_leaves_out_what_it_made(held: Held) -> None:
    mine = {seen.what for seen in iterate() if seen.holder.pid == os.getpid()}
    assert mine == held.fds.keys()


def test_threads_count_once(held: Held) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert held.among(iterate()) == held.expected()
    finally:
        done.set()
        thread.join()


def test_iterator_sees_a_thread_with_files_of_its_own() -> None:
    """Such a thread's descriptors are not in /proc/PID/fd, which is the main thread's."""
    ready, done = threading.Event(), threading.Event()
    seen: dict[str, Any] = {}

    def alone() -> None:
        seen["failed"] = ctypes.CDLL(None, use_errno=True).unshare(CLONE_FILES)
        with bpf_fd(
            map_create(map_type=MapType.ARRAY, key_size=4, value_size=8, max_entries=1)
        ) as fd:
            # /proc/self would show the main thread's files: ask by this thread's.
            info = Path(f"/proc/thread-self/fdinfo/{fd.fileno()}").read_text()
            seen["map"] = int(info.split("map_id:")[1].split()[0])
            ready.set()
            done.wait()

    thread = threading.Thread(target=alone)
    thread.start()
    try:
        assert ready.wait(10)
        assert not seen["failed"]
        found = [one.holder.pid for one in iterate() if one.what == (ObjectKind.MAP, seen["map"])]
        assert found == [os.getpid()]
    finally:
        done.set()
        thread.join()


# --- the whole search


@pytest.fixture(params=["proc", "iterator"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have one way chosen: without time for /proc it is the iterator."""
    if request.param == "iterator":
        monkeypatch.setattr(chooser, "PROC_BUDGET_US", 1)
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_others_that_hold_it(held: Held) -> None:
    found = holders(held.fds.keys())
    assert found.note is None
    assert found.by == {
        what: [Holder(held.child, COMM, fd.fileno())] for what, fd in held.fds.items()
    }


@pytest.mark.usefixtures("way")
def test_all_that_is_held_and_ourselves(held: Held) -> None:
    found = holders(include_self=True)
    pairs = {(what, one) for what in held.fds for one in found.by[what]}
    assert (pairs, found.note) == (held.expected(), None)


@pytest.fixture
def refused_loads() -> Iterator[list[int]]:
    """Refuse programs, as a kernel does to whoever lacks CAP_BPF; return the commands seen."""
    commands: list[int] = []
    enter = core._enter

    def refuse(cmd: int, union: Any, size: int) -> int:
        commands.append(cmd)
        return -errno.EPERM if cmd == Cmd.PROG_LOAD else enter(cmd, union, size)

    with replaced(refuse):
        yield commands


def test_proc_where_the_iterator_is_refused(
    held: Held, monkeypatch: pytest.MonkeyPatch, refused_loads: list[int]
) -> None:
    monkeypatch.setattr(chooser, "PROC_BUDGET_US", 1)
    found = holders(include_self=True)
    pairs = {(what, one) for what in held.fds for one in found.by[what]}
    assert (pairs, found.note) == (held.expected(), None)
    assert Cmd.PROG_LOAD in refused_loads


def _as_nobody(ask: Callable[[], object]) -> Any:
    """Return what a function returns in a process without any privilege."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(writing, json.dumps(ask()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:  # noqa: PTH123 - a descriptor
        said = answer.read()
    os.waitpid(pid, 0)
    return json.loads(said)


def test_nobody_is_told_what_is_not_seen(held: Held) -> None:
    def ask() -> list[object]:
        found = holders(held.fds.keys())
        return [len(found.by), found.note]

    count, note = _as_nobody(ask)
    assert count == 0
    refused, _, rest = note.removeprefix("holders: ").partition(" of ")
    listed, _, words = rest.partition(" ")
    assert words == "processes may not be looked into: root can"
    assert 1 <= int(refused) < int(listed)


def test_hidden_processes_are_told_of() -> None:
    with TemporaryDirectory() as place:  # others cannot get at tmp_path
        subprocess.run(["mount", "-t", "proc", "-o", "hidepid=2", "proc", place], check=True)
        try:
            words = _as_nobody(lambda: gap(look(ALL, proc=place)))
        finally:
            subprocess.run(["umount", place], check=True)
    assert "/proc hides processes from us (hidepid)" in words


@pytest.mark.parametrize(
    ("option", "words"),
    [
        pytest.param(
            "--mount-proc", "only processes of this PID namespace can be seen", id="own proc"
        ),
        pytest.param("--mount", "/proc is of another PID namespace", id="the machine's proc"),
    ],
)
def test_other_pid_namespaces_are_told_of(held: Held, option: str, words: str) -> None:
    script = "from bpfctl.objects.holders import holders; print(holders().note)"
    done = subprocess.run(
        ["unshare", "--pid", "--fork", option, sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout.startswith(f"holders: {words}")


def test_processes_come_and_go_meanwhile(held: Held) -> None:
    done = threading.Event()

    def breed() -> None:
        numbers = [fd.fileno() for fd in held.fds.values()]
        while not done.is_set():
            subprocess.run(["true"], check=True, pass_fds=numbers)

    thread = threading.Thread(target=breed)
    thread.start()
    try:
        for _ in range(20):
            for sightings in (look(ALL).sightings, iterate()):
                found = collect(sightings).by
                seen = {(what, one) for what in held.fds for one in found[what]}
                assert held.expected() <= seen
    finally:
        done.set()
        thread.join()
