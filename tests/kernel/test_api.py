"""bpfctl as a library on the running kernel."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bpfctl
from bpfctl.errors import (
    KeyNotFoundError,
    NotFoundError,
    ObjectFileError,
    UsageError,
    VerifierError,
)
from bpfctl.objects.attach_targets import RawTracepoint
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import id_of
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "bpfctl/data/demo.bpf.o"


def snippet() -> str:
    """The example of the README."""
    (text,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return str(text)


def test_the_example_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(DEMO, tmp_path / "demo.bpf.o")
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(snippet(), "README.md", "exec"), {})
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert any(words[1:] == ["true", "1"] for words in lines), out.getvalue()


PARTS = ("cfg.low", "cfg.peers[1].port", "cfg.peers[1].host", "hidden")


@pytest.fixture
def loaded(data: Path) -> Iterator[bpfctl.Object]:
    """Load the object with variables of every kind, one of them set before."""
    with bpfctl.open_object(str(data / "globals.bpf.o")) as obj:
        obj.globals["limit"] = 7
        obj.globals["steps"] = [4, 3, 2, 1]
        yield obj.load()


def test_globals_are_set_before_and_read_after(loaded: bpfctl.Object) -> None:
    names = ("limit", "steps", "greeting", "start", "special", "total")
    assert {name: loaded.globals[name] for name in names} == {
        "limit": 7,
        "steps": [4, 3, 2, 1],
        "greeting": "hello",
        "start": 100,
        "special": 11,
        "total": 0,
    }


def test_a_running_program_sees_what_is_set(loaded: bpfctl.Object) -> None:
    loaded.globals["start"] = 1000
    total = 1000 + 7 + 3 + 9 - 7 + 11 + ord("h")
    assert loaded.programs["use_globals"].run(context=bytes(8)) == total
    assert loaded.globals["total"] == total
    with pytest.raises(UsageError, match="limit is constant once the object is loaded"):
        loaded.globals["limit"] = 8
    with pytest.raises(NotFoundError, match="no variable is called lmiit"):
        _ = loaded.globals["lmiit"]


@needs.EMPTY_DATASEC
def test_parts_of_variables_before_and_after(data: Path) -> None:
    with bpfctl.open_object(str(data / "settings.bpf.o")) as obj:
        obj.globals["cfg.low"] = 5
        obj.globals["cfg.peers[1]"] = {"port": 80, "host": "a.local"}
        obj.globals["hidden"] = -3
        with pytest.raises(UsageError, match=r"cfg\.low: 8 does not fit"):
            obj.globals["cfg.low"] = 8
        assert [obj.globals[name] for name in PARTS] == [5, 80, "a.local", -3]
        assert "cfg" in obj.globals
        assert sorted(obj.globals) == [
            "cfg", "enabled", "hidden", "limits", "name", "ratio", "sum", "wide",
        ]  # fmt: skip
        obj.load()
        assert [obj.globals[name] for name in PARTS] == [5, 80, "a.local", -3]


@needs.ARENA
def test_variables_of_an_arena(data: Path) -> None:
    with bpfctl.open_object(str(data / "arena.bpf.o")) as obj:
        obj.globals["zero"] = 7
        obj.load()
        obj.globals["answer"] = 1000
        assert obj.programs["use_arena"].run() == 0
        assert [obj.globals[name] for name in ("seen", "answer", "zero")] == [1000, 43, 7]
        memory = obj.maps["arena"].memory
        assert memory is not None
        assert len(memory) == 4 * mmap.PAGESIZE
        part = memory[8:16]
    assert part.tolist() == [0] * 8  # no longer of use, and no crash
    with pytest.raises(ValueError, match="released memoryview"):
        _ = memory[0]


def test_a_program_is_attached_pinned_and_told_of(data: Path, bpffs: Path) -> None:
    with bpfctl.open_object(str(data / "raw_tp.bpf.o")) as obj:
        (program,) = obj.load().programs.values()
        link = program.attach(RawTracepoint("sched_process_exit"))
        link.pin(str(bpffs / "link"))
        program.pin(str(bpffs / "program"))
        assert program.info.id == id_of(ObjectKind.PROG, program.fd)
        assert (program.info.name, program.log) == (program.name, "")
    assert sorted(path.name for path in bpffs.iterdir()) == ["link", "program"]


def test_maps_are_python_values() -> None:
    with bpfctl.open_object(str(DEMO)) as obj:
        execs = obj.load(skip=["dump_task"]).maps["execs"]
        execs[7] = {"count": 2, "comm": "init"}
        execs[8] = {"comm": "other"}
        assert execs[7] == {"count": 2, "comm": "init"}
        assert dict(execs.entries()) == {
            7: {"count": 2, "comm": "init"},
            8: {"count": 0, "comm": "other"},
        }
        del execs[7]
        assert (execs.get(7), execs.get(7, "none")) == (None, "none")
        with pytest.raises(KeyNotFoundError):
            _ = execs[7]
        with pytest.raises(UsageError, match="has no member cuont"):
            execs[9] = {"cuont": 1}


@needs.EMPTY_DATASEC
def test_per_cpu_values_are_lists(data: Path) -> None:
    with bpfctl.open_object(str(data / "maps.bpf.o")) as obj:
        counters = obj.load().maps["per_cpu"]
        counters[0] = [5] * counters.slots
        assert counters[0] == [5] * counters.slots
        counters[0] = 6
        assert counters[0] == [6] * counters.slots


def test_what_cannot_be_done_yet_or_twice(data: Path) -> None:
    with bpfctl.open_object(str(data / "xdp_pass.bpf.o")) as obj:
        for before in (lambda: obj.programs, lambda: obj.maps, obj.attach):
            with pytest.raises(UsageError, match="is not loaded yet"):
                before()
        obj.load()
        with pytest.raises(UsageError, match="is loaded already"):
            obj.load()
        assert obj.attach() == []
        with pytest.raises(UsageError, match='SEC "xdp" does not say what to attach to'):
            obj.programs["pass"].attach()


def test_a_refusal_is_explained(data: Path) -> None:
    with (
        bpfctl.open_object(str(data / "null_check.bpf.o")) as obj,
        pytest.raises(VerifierError, match="rejected: R0 may be NULL here") as raised,
    ):
        obj.load()
    assert raised.value.file == "null_check.bpf.c"


def test_an_object_in_memory() -> None:
    with bpfctl.open_bytes(DEMO.read_bytes(), "packed/own.bpf.o") as obj:
        assert set(obj.load(skip="dump_task").maps) == {"execs", "own.rodata"}
    with pytest.raises(ObjectFileError) as raised:
        bpfctl.open_bytes(b"no object", "packed/own.bpf.o")
    assert raised.value.subject == "packed/own.bpf.o"


def test_a_type_for_all_programs(data: Path) -> None:
    with bpfctl.open_object(str(data / "bad_xdpomg.bpf.o"), prog_type="xdp") as obj:
        assert all(one.info.type_name == "xdp" for one in obj.load().programs.values())
    with pytest.raises(UsageError, match='"xpd" is no program type'):
        bpfctl.open_object(str(data / "xdp_pass.bpf.o"), prog_type="xpd")


def test_public_names_can_be_listed() -> None:
    assert set(bpfctl.__all__) <= set(dir(bpfctl))
    assert all(getattr(bpfctl, name).__doc__ for name in bpfctl.__all__)


def test_importing_it_costs_nothing() -> None:
    code = "import sys, bpfctl; print('bpfctl.api' in sys.modules, bpfctl.__version__ != '')"
    command = [shutil.which("python3") or "python3", "-c", code]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["False", "True"]
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = bpfctl.nothing
