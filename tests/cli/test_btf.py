"""`bpfctl btf`: words, formats and errors, on a file of types made here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from tests.builders.btf import DATA, build
from tests.builders.future import FUTURE, with_future
from tests.cli.runner import run

if TYPE_CHECKING:
    from pathlib import Path

TYPES = (
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Struct(2, "evil\x1b[2Jname", 4, (t.Member("x\n", 1, 0),)),
    t.Struct(3, "b", 4, (t.Member("y", 1, 0),)),
    t.Typedef(4, "a", 3),
)
RAW = (
    "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n"
    "[2] STRUCT 'evil\\x1b[2Jname' size=4 vlen=1\n\t'x\\x0a' type_id=1 bits_offset=0\n"
    "[3] STRUCT 'b' size=4 vlen=1\n\t'y' type_id=1 bits_offset=0\n"
    "[4] TYPEDEF 'a' type_id=3\n"
)


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "types.btf").write_bytes(build(TYPES))
    return str(tmp_path / "types.btf")


def test_raw(file: str) -> None:
    """Names are shown, and obeyed by no terminal."""
    done = run("btf", "dump", "file", file)
    assert (done.status, done.out, done.err) == (0, RAW, "")
    assert run("btf", "dump", "file", file, "format", "raw").out == RAW


def test_one_type(file: str) -> None:
    assert run("btf", "dump", "file", file, "root_id", "4").out == "[4] TYPEDEF 'a' type_id=3\n"


def test_json_three_ways(file: str) -> None:
    whole = run("-j", "btf", "dump", "file", file)
    types = whole.json["types"]
    assert types[3] == {"id": 4, "kind": "TYPEDEF", "name": "a", "type_id": 3}
    assert whole.out.count("\n") == 1
    assert run("btf", "dump", "file", file, "format", "json").out == whole.out
    pretty = run("-p", "btf", "dump", "file", file)
    assert pretty.out == json.dumps({"types": types}, indent=4) + "\n"
    lines = run("-o", "jsonl", "btf", "dump", "file", file).out.splitlines()
    assert [json.loads(line) for line in lines] == types


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(
            [], ["struct b", "typedef struct b a", "struct b", "struct evil__2Jname"], id="sorted"
        ),
        pytest.param(
            ["unsorted"], ["struct evil__2Jname", "struct b", "typedef struct b a"], id="unsorted"
        ),
        pytest.param(["root_id", "4"], ["struct b", "typedef struct b a", "struct b"], id="one"),
    ],
)
def test_c(file: str, words: list[str], expected: list[str]) -> None:
    text = run("btf", "dump", "file", file, "format", "c", *words).out
    found = [
        line.rstrip(" {;") for line in text.splitlines() if line.startswith(("struct", "typedef"))
    ]
    assert found == expected


def test_contexts() -> None:
    text = run("btf", "dump", "file", str(DATA / "core.bpf.o"), "format", "c", "--ctx").out
    assert "\nstruct fentry_use_core_ctx {\n\tstruct bpf_iter__task *ctx;\n};\n" in text


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        pytest.param([], 2, "which types? expected kernel, file, id, prog or map", id="nothing"),
        pytest.param(
            ["fiel", "x"], 2,
            '"fiel" is no source of types: expected kernel, file, id, prog or map', id="source",
        ),
        pytest.param(["file"], 2, '"file" wants a path after it', id="no path"),
        pytest.param(["id", "x"], 2, '"x" is no id of a type', id="no id"),
        pytest.param(["file", "FILE", "format", "xml"], 2, '"xml" is no format', id="format"),
        pytest.param(["file", "FILE", "format"], 2, '"format" wants one of raw, c, json', id="end"),
        pytest.param(["file", "FILE", "root_id", "0"], 2, '"0" is no id of a type', id="root"),
        pytest.param(
            ["file", "FILE", "sorted"], 2,
            '"sorted" is not expected there: format, root_id or unsorted', id="word",
        ),
        pytest.param(["file", "FILE", "root_id", "5"], 1, "there is no type 5", id="no such type"),
        pytest.param(
            ["file", "FILE", "--ctx"], 2, "--ctx adds structs to C", id="contexts of nothing"
        ),
        pytest.param(
            ["kernel", "-B", "x"], 2, "--base-btf is for the types of a file", id="base"
        ),
        pytest.param(
            ["file", "/no/such"], 1, "/no/such: cannot read it: no such file or directory",
            id="missing",
        ),
        pytest.param(["file", "/dev/null"], 1, "does not begin with the magic", id="empty"),
    ],
)  # fmt: skip
def test_errors(file: str, words: list[str], status: int, error: str) -> None:
    done = run("btf", "dump", *[file if word == "FILE" else word for word in words])
    assert (done.status, done.out) == (status, "")
    assert error in done.err.splitlines()[0]


def test_an_elf_file_without_types(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\x7fELF" + bytes(60))
    done = run("btf", "dump", "file", str(tmp_path / "x"))
    assert done.status == 1
    assert done.err.startswith(f"bpfctl: {tmp_path}/x: ")


def test_several_files(tmp_path: Path) -> None:
    """Of two modules with the same types, each is there once, behind those of their base."""
    base = Btf.parse(build(TYPES))
    builder = BtfBuilder(first_id=len(base), first_string=base.string_end)
    builder.add(t.Struct(0, "own", 4, (t.Member("m", 1, 0),)))
    paths = [tmp_path / name for name in ("base", "one", "two")]
    for path, data in zip(paths, (build(TYPES), builder.build(), builder.build()), strict=True):
        path.write_bytes(data)
    words = [word for path in paths for word in ("file", str(path))]
    done = run("btf", "dump", *words, "--base-btf", str(paths[0]))
    assert (done.status, done.err) == (0, "")
    assert done.out == RAW + "[5] STRUCT 'own' size=4 vlen=1\n\t'm' type_id=1 bits_offset=0\n"
    without = run("btf", "dump", "file", str(paths[0]), "file", str(paths[0]))
    assert (without.status, without.out) == (2, "")
    assert without.err.startswith(
        "bpfctl: types of several files are merged where all of them are based on the same\n"
    )


def test_what_is_newer_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "future.btf"
    path.write_bytes(with_future(build((t.Int(1, "int", 4, 1, 0, 32),)), told=True))
    said = f"left out: 1 type of kind {FUTURE}, newer than bpfctl knows\n"
    done = run("btf", "dump", "file", str(path))
    assert (done.status, done.err) == (0, said)
    assert done.out == "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n"
    assert len(run("-j", "btf", "dump", "file", str(path)).json["types"]) == 1
    assert run("btf", "dump", "file", str(path), "root_id", "1").err == ""
