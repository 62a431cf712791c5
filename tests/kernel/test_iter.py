"""Iterators on the running kernel: run without a pin, pinned, with a map."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.errors import SyscallError, UsageError
from bpfctl.kernel.attr import map_create, map_elem
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.info import map_info
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.loader.pipeline import load
from bpfctl.objects.attach_iter import link_iterator
from bpfctl.objects.attach_targets import Iter
from bpfctl.objects.iter import open_iter, read_iter
from tests.cli.runner import PROGRAM, Done, as_program, in_process
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.kernel.fd import Fd


@pytest.fixture
def counts() -> Iterator[Fd]:
    """Return an array of three numbers: 0, 10 and 20."""
    attr = map_create(
        map_type=MapType.ARRAY, key_size=4, value_size=8, max_entries=3, name=f"it{os.getpid()}"
    )
    with bpf_fd(attr) as fd:
        for key in range(3):
            value = (key * 10).to_bytes(8, "little")
            bpf(map_elem(Cmd.MAP_UPDATE_ELEM, fd, key.to_bytes(4, "little"), value))
        yield fd


def own_line() -> str:
    return f"{os.getpid()} {Path('/proc/self/comm').read_text()}"


def text_of(path: Path, map_fd: Fd | None = None) -> str:
    """What the only iterator of an object prints."""
    with load(read_object(str(path))) as loaded:
        (program,) = loaded.programs.values()
        target = Iter(map_fd=map_fd.fileno() if map_fd else None)
        with link_iterator(program.fd, target) as link, open_iter(link) as walk:
            return b"".join(read_iter(walk)).decode()


def test_all_tasks_are_walked(data: Path) -> None:
    assert own_line() in text_of(data / "iter_task.bpf.o")


def test_the_elements_of_a_map_are_walked(data: Path, counts: Fd) -> None:
    assert text_of(data / "iter_map_elem.bpf.o", counts) == "0: 0\n1: 10\n2: 20\n"


@pytest.mark.usefixtures("locked_memory")
def test_output_larger_than_one_read_is_whole(data: Path) -> None:
    attr = map_create(map_type=MapType.ARRAY, key_size=4, value_size=8, max_entries=50_000)
    with bpf_fd(attr) as fd:
        text = text_of(data / "iter_map_elem.bpf.o", fd)
    assert text == "".join(f"{key}: 0\n" for key in range(50_000))


def test_an_iterator_that_wants_a_map_says_so(data: Path) -> None:
    with pytest.raises(UsageError, match="say of which") as raised:
        text_of(data / "iter_map_elem.bpf.o")
    assert raised.value.code == "iterator-needs-map"


@pytest.mark.parametrize("verb", ["run", "pin"])
@needs.CGROUP_ITER
def test_an_iterator_that_wants_a_cgroup_says_so(verb: str, data: Path, bpffs: Path) -> None:
    where = [str(bpffs / "groups")] if verb == "pin" else []
    done = in_process("iter", verb, str(data / "iter_cgroup.bpf.o"), *where)
    assert (done.status, done.out) == (2, "")
    assert "program each_cgroup: this iterator walks cgroups: say of which" in done.err
    assert list(bpffs.iterdir()) == []


def test_a_task_iterator_takes_no_map(data: Path, counts: Fd) -> None:
    """The kernel reads the map's descriptor as the number of a thread."""
    number = str(map_info(counts).number("id"))
    done = in_process("iter", "run", str(data / "iter_task.bpf.o"), "map", "id", number)
    assert (done.status, done.out) == (2, "")
    assert "the iterator walks task, and takes no map" in done.err


def test_an_iterator_that_takes_no_map_of_that_type(data: Path) -> None:
    with (
        bpf_fd(
            map_create(map_type=MapType.RINGBUF, key_size=0, value_size=0, max_entries=4096)
        ) as fd,
        pytest.raises(SyscallError) as raised,
    ):
        text_of(data / "iter_map_elem.bpf.o", fd)
    assert raised.value.candidates == ["the iterator takes no map, or not one of this type"]


def test_iter_run_prints_and_leaves_nothing(data: Path) -> None:
    done = as_program("iter", "run", str(data / "iter_task.bpf.o"))
    assert (done.status, done.err) == (0, "")
    assert own_line() in done.out


def test_iter_run_in_json(data: Path, counts: Fd) -> None:
    number = str(map_info(counts).number("id"))
    done = in_process("-j", "iter", "run", str(data / "iter_map_elem.bpf.o"), "map", "id", number)
    assert (done.status, done.json) == (0, {"output": "0: 0\n1: 10\n2: 20\n"})


def test_no_control_character_reaches_a_terminal(data: Path) -> None:
    """A task of ours calls itself what would clear the screen."""
    ours = subprocess.Popen(["python3", "-c", _RENAMED], stdin=subprocess.PIPE, text=True,
                            stdout=subprocess.PIPE)  # fmt: skip
    assert ours.stdin is not None
    assert ours.stdout is not None
    try:
        ours.stdout.readline()
        master, slave = pty.openpty()
        walk = subprocess.Popen(
            [*PROGRAM, "iter", "run", str(data / "iter_task.bpf.o")], stdout=slave
        )
        os.close(slave)
        shown = _read_all(master)
        os.close(master)
        piped = subprocess.run(
            [*PROGRAM, "iter", "run", str(data / "iter_task.bpf.o")],
            check=True,
            capture_output=True,
        ).stdout
        assert walk.wait() == 0
    finally:
        ours.stdin.close()
        ours.stdout.close()
        ours.wait()
    assert f"{ours.pid} \\x1b[2Jx".encode() in shown
    assert b"\x1b" not in shown
    assert f"{ours.pid} \x1b[2Jx\n".encode() in piped, "a file gets the bytes as they are"


_RENAMED = """
open("/proc/self/comm", "w").write("\\x1b[2Jx")
print("ready", flush=True)
input()
"""


def _read_all(number: int) -> bytes:
    """Read a terminal until its other end is closed, which is EIO."""
    chunks = []
    try:
        while chunk := os.read(number, 1 << 16):
            chunks.append(chunk)
    except OSError:
        pass
    return b"".join(chunks)


def test_a_pinned_iterator_is_read_as_a_file(data: Path, bpffs: Path, counts: Fd) -> None:
    path = bpffs / "counts"
    name = f"it{os.getpid()}"
    done = in_process(
        "iter", "pin", str(data / "iter_map_elem.bpf.o"), str(path), "map", "name", name
    )
    assert (done.status, done.out, done.err) == (0, "", "")
    assert path.read_text() == "0: 0\n1: 10\n2: 20\n"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        pytest.param(["xdp_pass.bpf.o"], 2, "no program of it is an iterator", id="none"),
        pytest.param(
            ["iter_task.bpf.o", "--program", "nobody"], 2, "no iterator is called nobody", id="name"
        ),
        pytest.param(["iter_task.bpf.o", "mop"], 2, '"mop" is not expected there', id="word"),
        pytest.param(["iter_task.bpf.o", "map"], 2, "which map?", id="no map"),
        pytest.param(["gone.bpf.o"], 1, "no such file", id="no object"),
    ],
)
def test_what_iter_run_refuses(words: list[str], status: int, message: str, data: Path) -> None:
    done = in_process("iter", "run", str(data / words[0]), *words[1:])
    assert (done.status, done.out) == (status, "")
    assert message in done.err


@needs.TASK_ITER
def test_one_process_is_walked(data: Path, bpffs: Path) -> None:
    path = str(data / "iter_task.bpf.o")
    done = in_process("iter", "run", path, "pid", str(os.getpid()))
    assert own_line() in done.out.splitlines(keepends=True)
    threads = {one.name for one in Path("/proc/self/task").iterdir()}
    assert {line.split()[0] for line in done.out.splitlines()} <= threads
    words = ("iter", "pin", path, f"{bpffs}/one", "tid", str(os.getpid()))
    assert in_process(*words) == Done(0, "", "")
    assert (bpffs / "one").read_text() == own_line()


def test_a_taken_path_leaves_it_alone(data: Path, bpffs: Path) -> None:
    words = ("iter", "pin", str(data / "iter_task.bpf.o"), str(bpffs / "tasks"))
    assert in_process(*words).status == 0
    again = in_process(*words)
    assert again.status == 1
    assert "exists already" in again.err
    assert own_line() in (bpffs / "tasks").read_text()
