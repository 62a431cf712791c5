"""`prog unload` takes apart what a load made, and says what stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.link import links
from bpfctl.objects.pin import id_of, open_pin
from bpfctl.objects.prog import programs
from tests.cli.runner import Done, in_process

DATA = Path(__file__).parent.parent / "data"
DONE = Done(0, "", "")


def loadall(place: Path, *words: str) -> Any:
    done = in_process("-j", "prog", "loadall", str(DATA / "attachable.bpf.o"), str(place), *words)
    assert done.status == 0, done.out
    return done.json


def ids(told: Any) -> set[int]:
    return {one["id"] for one in told["programs"]}


@pytest.mark.parametrize("by_name", [False, True], ids=["path", "name"])
def test_all_of_a_load_goes(by_name: bool, bpffs: Path, bpffs_mount: Path) -> None:
    place = bpffs_mount / f"{bpffs.name}x" if by_name else bpffs / "all"
    told = loadall(place, "pinmaps", f"{place}/maps", "--attach")
    assert in_process("prog", "unload", place.name if by_name else str(place)) == DONE
    assert not place.exists()
    assert not ids(told) & {one.id for one in programs()}
    assert not ids(told) & {info.prog_id for info in links()}


def test_the_answer(bpffs: Path) -> None:
    told = loadall(bpffs / "all", "--attach")
    done = in_process("-j", "prog", "unload", f"{bpffs}/all")
    names = ["on_fork", "on_typed_fork", "pass"]  # links before programs
    assert (done.status, done.json) == (
        0,
        {
            "removed": [f"{bpffs}/all/{name}" for name in names] + [f"{bpffs}/all"],
            "detached": [],
            "left": [],
        },
    )
    assert len(told["programs"]) == 3


@pytest.mark.parametrize(
    ("how", "attach"),
    [
        pytest.param("{path}", (), id="path of a program"),
        pytest.param("{path}", ("--attach",), id="path of a link"),
        pytest.param("pinned {path}", (), id="pinned"),
        pytest.param("id {id}", ("--attach",), id="id"),
    ],
)
def test_one_program_by_any_word(how: str, attach: tuple[str, ...], bpffs: Path) -> None:
    path, words = f"{bpffs}/one", ("--program", "on_fork", *attach)
    done = in_process("-j", "prog", "load", str(DATA / "attachable.bpf.o"), path, *words)
    (number,) = ids(done.json)
    assert in_process("prog", "unload", *how.format(path=path, id=number).split()) == DONE
    assert list(bpffs.iterdir()) == []
    assert number not in {info.id for info in programs()}


def test_a_map_is_no_program(bpffs: Path) -> None:
    loadall(bpffs / "all", "pinmaps", f"{bpffs}/maps")
    path = next(str(one) for one in (bpffs / "maps").iterdir())
    error = in_process("-j", "prog", "unload", path).json["error"]
    assert (error["status"], error["object"], error["remedy"]) == (2, path, f"rm {path}")


def test_what_is_pinned_elsewhere_stays(bpffs: Path) -> None:
    told = loadall(bpffs / "all", "--attach")
    (number,) = [one["id"] for one in told["programs"] if one["name"] == "on_fork"]
    link, program = f"{bpffs}/link", f"{bpffs}/program"
    assert in_process("link", "pin", f"{bpffs}/all/on_fork", link) == DONE
    assert in_process("prog", "pin", "id", str(number), program) == DONE
    _, fd = open_pin(link, ObjectKind.LINK)
    with fd:
        link_id = id_of(ObjectKind.LINK, fd)
    (map_id,) = [one["id"] for one in told["maps"]]
    done = in_process("prog", "unload", f"{bpffs}/all")
    assert done == Done(
        0,
        f"link {link_id} stays: pinned at {link}\n"
        f"program {number} on_fork stays: pinned at {program}; run by link {link_id}\n"
        f"map {map_id} attachab.bss stays: used by program {number}\n",
        "",
    )
    again = in_process("-j", "prog", "unload", "on_fork")
    assert sorted(again.json["removed"]) == [link, program]
    assert again.json["left"] == []


HOLD = """
import sys, time
from bpfctl.objects.pin import open_pin
kind, fd = open_pin(sys.argv[1])
print("ready", flush=True)
time.sleep(60)
"""


def test_a_process_that_holds_a_program_is_named(bpffs: Path) -> None:
    loadall(bpffs / "all")
    command = [sys.executable, "-c", HOLD, f"{bpffs}/all/pass"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            done = in_process("-j", "prog", "unload", f"{bpffs}/all")
            program, _ = done.json["left"]
            assert (program["kind"], program["name"]) == ("program", "pass")
            (holder,) = program["pids"]
            assert holder["pid"] == process.pid
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        pytest.param("{bpffs}/none", 3, "not-found", id="no directory"),
        pytest.param("{mount}", 1, "unload-everything", id="a whole bpffs"),
        pytest.param("/tmp", 1, "not-bpffs", id="no bpffs"),
        pytest.param("no_such_program_", 3, "not-found", id="no program"),
        pytest.param("", 2, "usage", id="nothing"),
    ],
)
def test_refused(word: str, status: int, code: str, bpffs: Path, bpffs_mount: Path) -> None:
    loadall(bpffs / "all")
    word = word.format(bpffs=bpffs, mount=bpffs_mount)
    done = in_process("-j", "prog", "unload", *([word] if word else []))
    assert (done.status, done.json["error"]["code"]) == (status, code)
    assert done.json["error"]["operation"] == "prog-unload"
    assert len(list((bpffs / "all").iterdir())) == 3


def test_a_program_that_nothing_pins(bpffs: Path) -> None:
    loadall(bpffs / "all")
    command = [sys.executable, "-c", HOLD, f"{bpffs}/all/on_typed_fork"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            in_process("prog", "unload", f"{bpffs}/all")
            done = in_process("-j", "prog", "unload", "on_typed_fork")
            assert (done.status, done.json["error"]["code"]) == (3, "unload-nothing")
        finally:
            process.kill()
