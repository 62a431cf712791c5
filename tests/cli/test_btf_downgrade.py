"""`bpfctl btf downgrade`: what is written and what is said; kinds nobody knows yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from tests.builders.btf import build, raw, record
from tests.cli.runner import run

FUTURE = raw(
    [
        *record(t.Kind.INT, 0, 4, 32, name=1),
        *record(25, 0, 0, 7),
        *record(t.Kind.STRUCT, 2, 8, 3, 1, 0, 5, 2, 32, name=1),
    ],
    b"\0x\0a\0b\0",
    layout=bytes(4 * 25) + bytes((4, 0, 0, 0)),
)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "types.btf").write_bytes(build())
    return ["btf", "downgrade", "file", str(tmp_path / "types.btf"), str(tmp_path / "old")]


def test_only_old_kinds_are_left(words: list[str]) -> None:
    done = run(*words, "--to", "5.4")
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "32 types, replaced: 2 DECL_TAG, 1 ENUM, 2 ENUM64, 1 FLOAT, 1 FUNC, 2 TYPE_TAG\n"
    )
    old, new = Btf.parse(build()), Btf.parse(Path(words[-1]).read_bytes())
    assert len(new) == len(old)
    assert max(one.kind for one in new.types()) <= t.Kind.DATASEC


def test_json_and_nothing_to_do(words: list[str]) -> None:
    done = run("-j", *words, "--to", "7.1")
    assert done.json == {"to": "7.1", "types": 32, "replaced": {}}
    assert run(*words, "--to", "7.1").out == "32 types, replaced: none\n"
    assert [*Btf.parse(Path(words[-1]).read_bytes()).types()] == [*Btf.parse(build()).types()]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        pytest.param([], "for which kernel? expected --to VERSION", id="no version"),
        pytest.param(["--to", "4.9"], "types are written for Linux 5.0 and later", id="too old"),
        pytest.param(["x", "--to", "5.4"], '"x" is one word too many', id="too many"),
    ],
)
def test_errors(words: list[str], more: list[str], error: str) -> None:
    done = run(*words, *more)
    assert (done.status, done.out) == (2, "")
    assert error in done.err.splitlines()[0]
    assert not Path(words[-1]).exists()


def test_no_output(words: list[str]) -> None:
    done = run(*words[:-1], "--to", "5.4")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("bpfctl: expected SOURCE and OUTPUT")


@pytest.fixture
def future(tmp_path: Path) -> str:
    (tmp_path / "future.btf").write_bytes(FUTURE)
    return str(tmp_path / "future.btf")


@pytest.mark.parametrize("form", ["raw", "json"])
def test_kinds_of_the_future_are_left_out_of_a_dump(future: str, form: str) -> None:
    done = run("btf", "dump", "file", future, "format", form)
    assert (done.status, done.err) == (
        0, "left out: 1 type of kind 25, newer than bpfctl knows\n"
    )  # fmt: skip
    assert "'b' type_id=2 bits_offset=32\n" in done.out or '"type_id":2' in done.out


def test_members_of_kinds_of_the_future_are_bytes_in_c(future: str) -> None:
    done = run("btf", "dump", "file", future, "format", "c")
    assert (done.status, done.err) == (
        0, "left out: 1 type of kind 25, newer than bpfctl knows\n"
    )  # fmt: skip
    assert "struct x {\n\tx a;\n\tunsigned char b;\n};" in done.out


def test_kinds_of_the_future_are_bytes_for_old_kernels(future: str, tmp_path: Path) -> None:
    done = run("btf", "downgrade", "file", future, str(tmp_path / "old"), "--to", "5.4")
    assert (done.status, done.out) == (0, "3 types, replaced: 1 kind 25\n")
    assert run("btf", "dump", "file", str(tmp_path / "old"), "root_id", "2").out == (
        "[2] INT 'unsigned char' size=1 bits_offset=0 nr_bits=8 encoding=(none)\n"
    )
