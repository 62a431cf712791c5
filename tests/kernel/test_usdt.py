"""Static probes of a program made by hand: attached, run, arguments read."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.linux.version import kernel_version
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.map import Map
from tests.builders.usdt import FIRST, program
from tests.cli.runner import PROGRAM, Done, in_process
from tests.kernel import needs
from tests.kernel.powers import named, run_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OBJECT = Path(__file__).parent.parent / "data" / "usdt.bpf.o"
DONE = Done(0, "", "")
X86 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the program is for x86-64")


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    path = tmp_path / "own-program"
    path.write_bytes(program(other_args="8@%rsi"))
    path.chmod(0o755)
    return path


@pytest.fixture
def seen(bpffs: Path) -> Iterator[Callable[[], tuple[int, ...]]]:
    """Load and pin a program for static probes; give a function that tells what it saw."""
    with ExitStack() as stack:
        loaded = stack.enter_context(load(read_object(str(OBJECT)), LoadOptions()))
        loaded.pin_program("on_probe", f"{bpffs}/prog")
        values = Map(loaded.maps["usdt.bss"].fd.duplicate())
        stack.enter_context(values.fd)
        yield lambda: struct.unpack("<QQQ4q", values.lookup(bytes(4)))


def create(bpffs: Path, *words: str) -> Done:
    return in_process("link", "create", f"{bpffs}/prog", *words, "--pin", f"{bpffs}/link")


def check_seen(binary: Path, seen: Callable[[], tuple[int, ...]]) -> None:
    assert subprocess.run([binary], check=False).returncode == 0
    # runs, arguments, cookie; 42 twice, -123 and 7, 9 twice, 5 and 6
    assert seen() == (2, 8, 99, 84, -116, 18, 11)


@X86
@needs.UPROBE_MULTI
def test_two_places_and_their_arguments(
    seen: Callable[[], tuple[int, ...]], binary: Path, bpffs: Path
) -> None:
    assert create(bpffs, "usdt", f"{binary}:own:probe", "cookie", "99") == DONE
    check_seen(binary, seen)
    shown = in_process("-j", "link", "show", f"{bpffs}/link").json
    assert shown["type"] == "uprobe_multi"
    if kernel_version() >= (6, 8):
        assert shown["attached_to"] == f"uprobe {binary} (2 places)"
        assert FIRST in [one["offset"] for one in shown["funcs"]]


@X86
@needs.UPROBE
@needs.PERF_LINK
def test_a_link_for_each_place(
    seen: Callable[[], tuple[int, ...]], binary: Path, bpffs: Path
) -> None:
    """Before Linux 6.6 no link reaches both."""
    if needs.verdicts()["link uprobe_multi"].available:
        return
    assert create(bpffs, "usdt", f"{binary}:own:probe", "cookie", "99") == DONE
    assert sorted(one.name for one in (bpffs / "link").iterdir()) == ["0", "1"]
    check_seen(binary, seen)
    assert in_process("prog", "unload", f"{bpffs}/link").status == 0
    subprocess.run([binary], check=True)
    assert seen()[0] == 2


@X86
@needs.UPROBE
def test_hold(seen: Callable[[], tuple[int, ...]], binary: Path, bpffs: Path) -> None:
    """On every kernel: by one link, by several, or (before Linux 5.15) by events alone."""
    words = ("usdt", f"{binary}:own:probe", "cookie", "99", "--hold")
    command = (*PROGRAM, "link", "create", f"{bpffs}/prog", *words)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.endswith("until Ctrl-C\n"), line + process.stderr.read()
            check_seen(binary, seen)
        finally:
            process.terminate()
    subprocess.run([binary], check=True)
    assert seen()[0] == 2


@pytest.mark.explains("usdt-needs-process")
@X86
@needs.UPROBE
@pytest.mark.usefixtures("seen")
def test_code_that_may_lie_anywhere(binary: Path, bpffs: Path) -> None:
    """Without cookies (before Linux 5.15) a place is known by its address: that of one process."""
    has_cookies = bool(needs.verdicts()["link perf_event"].available)
    data = bytearray(binary.read_bytes())
    data[16] = 3  # ET_DYN
    binary.write_bytes(data)
    with subprocess.Popen(
        (
            *PROGRAM,
            "-j",
            "link",
            "create",
            f"{bpffs}/prog",
            "usdt",
            f"{binary}:own:probe",
            "--hold",
        ),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        answer = json.loads(process.stdout.readline())
        process.terminate()
    found = answer.get("error", {}) if isinstance(answer, dict) else {}
    assert found.get("code") == (None if has_cookies else "usdt-needs-process")


@X86
@needs.UPROBE
@needs.PERF_LINK
def test_an_argument_in_a_variable(
    seen: Callable[[], tuple[int, ...]], binary: Path, bpffs: Path
) -> None:
    """The variable is the semaphore, which counts one probe while we look."""
    binary.write_bytes(program(other_args="2@counter(%rip)"))
    assert create(bpffs, "usdt", f"{binary}:own:other") == DONE
    assert subprocess.run([binary], check=False).returncode == 1
    assert seen() == (1, 1, 0, 1, 0, 0, 0)


@X86
@needs.UPROBE
@needs.PERF_LINK
def test_one_place_with_a_semaphore(
    seen: Callable[[], tuple[int, ...]], binary: Path, bpffs: Path
) -> None:
    """The program exits with the count of its semaphore: it knows whether somebody looks."""
    assert subprocess.run([binary], check=False).returncode == 0
    assert create(bpffs, "usdt", f"{binary}:own:other") == DONE
    assert subprocess.run([binary], check=False).returncode == 1
    assert seen() == (1, 1, 0, 7, 0, 0, 0)
    (bpffs / "link").unlink()


@X86
@needs.UPROBE_MULTI
def test_places_that_look_the_same_share_an_entry(
    seen: Callable[[], tuple[int, ...]], binary: Path, bpffs: Path
) -> None:
    for number in range(3):
        words = ("usdt", f"{binary}:own:probe", "--pin", f"{bpffs}/link{number}")
        assert in_process("link", "create", f"{bpffs}/prog", *words) == DONE
    subprocess.run([binary], check=True)
    assert seen()[:2] == (6, 24)


@X86
@needs.UPROBE_MULTI
def test_by_its_section(binary: Path, bpffs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{binary.parent}:{os.environ['PATH']}")
    words = ("--only", "on_own_probe", "--attach")
    assert in_process("prog", "loadall", str(OBJECT), f"{bpffs}/all", *words) == DONE
    shown = in_process("-j", "link", "show", f"{bpffs}/all/on_own_probe").json
    assert shown["type"] == "uprobe_multi"


@X86
@needs.UPROBE_MULTI
def test_a_load_attaches_without_cap_sys_admin(
    binary: Path, bpffs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the map that says where the arguments are; others must open it by its id."""
    monkeypatch.setenv("PATH", f"{binary.parent}:{os.environ['PATH']}")
    words = ("--program", "on_own_probe", "--attach")
    held = named({"CAP_BPF", "CAP_PERFMON"})
    ran = run_with(held, ["prog", "load", str(OBJECT), f"{bpffs}/own", *words])
    assert (ran.status, ran.said) == (0, "")


@X86
@needs.UPROBE
@needs.PERF_LINK
@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        pytest.param("{binary}:own:prob", 3, "no-such-probe", id="no such probe"),
        pytest.param("/bin/sh:own:probe", 3, "no-such-probe", id="a program without probes"),
        pytest.param("/nowhere:own:probe", 1, "path", id="no program"),
        pytest.param("{binary}:own", 2, "usage", id="no provider"),
    ],
)
@pytest.mark.explains("no-such-probe")
@pytest.mark.usefixtures("seen")
def test_refused(words: str, status: int, code: str, binary: Path, bpffs: Path) -> None:
    target = ("usdt", words.format(binary=binary), "--pin", f"{bpffs}/link")
    done = in_process("-j", "link", "create", f"{bpffs}/prog", *target)
    assert (done.status, done.json["error"]["code"]) == (status, code)
    if words.endswith("prob"):
        assert "own:probe" in done.json["error"]["remedy"]
