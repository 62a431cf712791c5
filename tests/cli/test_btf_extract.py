"""`bpfctl btf extract`: the bytes, where they go, and what is no such file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.objects.btf_source import raw_btf
from tests.builders.btf import DATA, build
from tests.cli.runner import as_program, run

if TYPE_CHECKING:
    from pathlib import Path

OBJECT = str(DATA / "core.bpf.o")


def test_the_bytes_are_those_of_the_section(tmp_path: Path) -> None:
    target = tmp_path / "types"
    done = run("btf", "extract", OBJECT, str(target))
    assert (done.status, done.out, done.err) == (0, "", "")
    assert target.read_bytes() == raw_btf(OBJECT)
    assert [path.name for path in tmp_path.iterdir()] == ["types"]
    dumps = [run("btf", "dump", "file", path).out for path in (OBJECT, str(target))]
    assert dumps[0] == dumps[1]


def test_a_file_that_is_there_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "types"
    target.write_text("old")
    target.chmod(0o640)
    assert run("-j", "btf", "extract", OBJECT, str(target)).out == "null\n"
    assert target.read_bytes() == raw_btf(OBJECT)
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_device_stays_one() -> None:
    done = as_program("btf", "extract", OBJECT, "/dev/full")
    assert (done.status, done.err) == (
        1, "bpfctl: /dev/full: cannot write it: no space left on device\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        pytest.param([], 2, "expected FILE and OUTPUT: from where, and where to", id="nothing"),
        pytest.param(
            [OBJECT], 2, "expected FILE and OUTPUT: from where, and where to", id="no output"
        ),
        pytest.param(["/no/such", "OUT"], 1, "/no/such: cannot read it", id="missing"),
        pytest.param(["/bin/sh", "OUT"], 1, "/bin/sh: has no section .BTF", id="no types"),
        pytest.param([OBJECT, "/no/such/x"], 1, "/no/such/x: cannot write it", id="no directory"),
        pytest.param(["CUT", "OUT"], 1, "ends behind its end", id="cut"),
    ],
)
def test_errors(tmp_path: Path, words: list[str], status: int, error: str) -> None:
    (tmp_path / "cut").write_bytes(build()[:40])
    places = {"OUT": str(tmp_path / "out"), "CUT": str(tmp_path / "cut")}
    done = run("btf", "extract", *[places.get(word, word) for word in words])
    assert (done.status, done.out) == (status, "")
    assert error in done.err.splitlines()[0]
    assert not (tmp_path / "out").exists()
