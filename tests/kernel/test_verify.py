"""`check --verify`: the verifier's numbers, against those of the kernel's own tool."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from bpfctl.check.kernels import running
from bpfctl.check.verify import Verified, total, verify
from bpfctl.elf.reader import read_object
from bpfctl.loader.options import LoadOptions
from tests.cli.runner import PROGRAM, in_process
from tests.kernel.conftest import DATA
from tests.vm import veristat

if TYPE_CHECKING:
    from pathlib import Path

# One that is refused, one with functions, one with many programs, one with CO-RE.
OBJECTS = ["core_gone.bpf.o", "subprogs.bpf.o", "sections.bpf.o", "core.bpf.o", "maps.bpf.o"]
COLUMNS = "file,prog,verdict,total_insns,total_states,peak_states,max_states_per_insn"
CORE = str(DATA / "core.bpf.o")


@pytest.fixture(scope="module")
def theirs() -> dict[tuple[str, str], tuple[str, ...]]:
    """What veristat says of each program."""
    path = shutil.which(veristat.NAME)
    if path is None:
        place = veristat.fetched() if "CI" in os.environ else veristat.cached()
        if place is None:
            pytest.skip("needs veristat: `python -m tests.vm run` fetches it")
        path = os.fspath(place / veristat.NAME)
    words = [path, "-o", "csv", "-e", COLUMNS, *(str(DATA / name) for name in OBJECTS)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    rows = csv.reader(io.StringIO(done.stdout))
    next(rows)
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


def test_totals_are_those_of_veristat(theirs: dict[tuple[str, str], tuple[str, ...]]) -> None:
    kernel = running().types
    found = [
        one
        for name in OBJECTS
        for one in verify(read_object(str(DATA / name)), LoadOptions(), kernel)
    ]
    ours = {
        (os.path.basename(one.path), one.program): (  # noqa: PTH119 - a name is all we want
            one.verdict,
            *(str(number or 0) for number in _numbers(one)),
        )
        for one in found
    }
    assert ours == theirs
    sums = [sum(int(row[at]) for row in theirs.values()) for at in range(1, 5)]
    assert _numbers(total(found)) == sums


def _numbers(one: Verified) -> list[int | None]:
    return [one.insns, one.states, one.peak_states, one.max_states_per_insn]


def test_a_baseline(tmp_path: Path) -> None:
    """The same object against itself is no worse; against a leaner past it is."""
    base = tmp_path / "base.json"
    done = in_process("-j", "check", "--verify", CORE)
    base.write_text(done.out)
    again = in_process("-j", "check", "--verify", CORE, "--baseline", str(base))
    (report,) = again.json
    if report["verified"][0]["verdict"] == "failure":  # a kernel without tracing programs
        assert (again.status, report["regressions"]) == (6, [])
        return
    assert (again.status, report["regressions"]) == (0, [])
    lean = json.loads(base.read_text())
    insns = lean[0]["verified"][0]["insns"]
    lean[0]["verified"][0]["insns"] = insns - 1
    base.write_text(json.dumps(lean))
    words = ("check", "--verify", CORE, "--baseline", str(base))
    worse = in_process(*words, "--max-regress", "0%")
    assert worse.status == 6
    assert f"use_core: insns was {insns - 1}, is {insns} (more than 0%)\n" in worse.out
    assert in_process(*words, "--max-regress", "50%").status == 0


def test_csv() -> None:
    done = in_process("check", "--verify", CORE, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.out))
    assert (row["object"], row["program"]) == (CORE, "use_core")
    assert done.status == (0 if row["verdict"] == "success" else 6)


def test_without_privileges() -> None:
    words = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", *PROGRAM]
    words += ["-j", "check", "--verify", CORE]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == "capabilities-missing"


def test_why_a_program_is_refused() -> None:
    done = in_process("-j", "check", "--verify", str(DATA / "null_check.bpf.o"))
    (one,) = done.json[0]["verified"]
    assert (done.status, one["verdict"]) == (6, "failure")
    assert "may be NULL" in one["reason"]
