"""`bpfctl btf show NAME`: each kind of type in plain text and as JSON, and what is not there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from tests.builders.btf import build
from tests.cli.runner import run

if TYPE_CHECKING:
    from pathlib import Path

TYPES = (
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Int(2, "char", 1, 0, 0, 8),
    t.Struct(3, "", 8, (t.Member("x", 2, 0), t.Member("y", 1, 32)), is_union=False),
    t.Ptr(4, "", 5),
    t.FuncProto(5, "", 1, (t.Param("fmt", 6), t.Param("", 0))),
    t.Ptr(6, "", 2),
    t.Struct(
        7, "evil\x1b", 32,
        (
            t.Member("a", 2, 0), t.Member("", 3, 64), t.Member("call", 4, 128),
            t.Member("b", 1, 192, 3), t.Member("c", 1, 197, 2),
        ),
    ),
    t.Typedef(8, "pair_t", 3),
    t.Enum(9, "hue", 4, signed=True, values=(t.EnumValue("RED", -1), t.EnumValue("BLUE", 2))),
    t.Func(10, "act", 5, t.FuncLinkage.GLOBAL),
    t.Var(11, "act", 6, t.VarLinkage.STATIC),
    t.Fwd(12, "later"),
    t.Struct(13, "u", 4, (t.Member("i", 1, 0), t.Member("c", 2, 0)), is_union=True),
    t.Typedef(14, "u_t", 13),
    t.Fwd(15, "u"),
)  # fmt: skip
STRUCT = """\
struct evil\\x1b {
    char a;                   /*     0       1 */
    /* hole of 7 bytes */
    struct {
        char x;               /*     8       1 */
        /* hole of 3 bytes */
        int y;                /*    12       4 */
    };                        /*     8       8 */
    int (*call)(char *, ...); /*    16       8 */
    int b : 3;                /*    24:0     4 */
    /* hole of 2 bits */
    int c : 2;                /*    24:5     4 */
    /* 7 bytes, 1 bit of padding */
}; /* 32 bytes, 5 members, 3 holes of 10 bytes, 2 bits, 7 bytes, 1 bit of padding, type 7 */
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "types.btf").write_bytes(build(TYPES))
    return str(tmp_path / "types.btf")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["evil\x1b"], STRUCT, id="struct"),
        pytest.param(
            ["pair_t"],
            "typedef struct {\n    char x; /*     0       1 */\n    /* hole of 3 bytes */\n"
            "    int y;  /*     4       4 */\n"
            "} pair_t; /* 8 bytes, 2 members, 1 hole of 3 bytes, type 8 */\n",
            id="anonymous typedef",
        ),
        pytest.param(["u_t"], "typedef union u u_t; /* 4 bytes, type 14 */\n", id="typedef"),
        pytest.param(
            ["enum", "hue"],
            "enum hue {\n    RED = -1,\n    BLUE = 2,\n}; /* 4 bytes, type 9 */\n", id="enum",
        ),
        pytest.param(["func", "act"], "int act(char *fmt, ...); /* type 10 */\n", id="function"),
        pytest.param(["var", "act"], "char *act; /* 8 bytes, type 11 */\n", id="variable"),
        pytest.param(
            ["type", "act"],
            "int act(char *fmt, ...); /* type 10 */\n\nchar *act; /* 8 bytes, type 11 */\n",
            id="two of one name",
        ),
        pytest.param(["later"], "struct later; /* declared only, type 12 */\n", id="declared"),
        pytest.param(
            ["union", "u"],
            "union u {\n    int i;  /*     0       4 */\n    char c; /*     0       1 */\n"
            "}; /* 4 bytes, 2 members, type 13 */\n",
            id="union and a declaration of its name",
        ),
        pytest.param(["int"], "int; /* 4 bytes, type 1 */\n", id="number"),
    ],
)  # fmt: skip
def test_text(file: str, words: list[str], expected: str) -> None:
    done = run("btf", "show", *words, "file", file)
    assert (done.status, done.err) == (0, "")
    assert done.out == expected


def test_json(file: str) -> None:
    (found,) = run("-j", "btf", "show", "act", "file", file).json[:1]
    assert found == {
        "id": 10, "kind": "FUNC", "name": "act", "type_id": 5, "linkage": "global",
        "returns": {"type": "int", "type_id": 1},
        "params": [
            {"name": "fmt", "type": "char *", "type_id": 6},
            {"name": "(anon)", "type": "void", "type_id": 0},
        ],
        "declaration": "int act(char *fmt, ...)",
    }  # fmt: skip
    (struct,) = run("-j", "btf", "show", "evil\x1b", "file", file).json
    assert struct["size"] == 32
    assert struct["padding_bits"] == 57
    assert [one["offset"] for one in struct["members"]] == [0, 8, 16, 24, 24]
    assert [one["offset"] for one in struct["members"][1]["members"]] == [8, 12]
    lines = run("-o", "jsonl", "btf", "show", "act", "file", file).out.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["FUNC", "VAR"]


def test_expand(file: str) -> None:
    text = run("btf", "show", "pair_t", "file", file, "--expand").out
    assert text == run("btf", "show", "pair_t", "file", file).out


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        pytest.param(
            ["evlu", "file", "FILE"], 3, 'there is no type called "evlu"', id="missing"
        ),
        pytest.param(
            ["union", "hue", "file", "FILE"], 3, 'there is no union called "hue"', id="kind"
        ),
        pytest.param(["struct"], 2, '"struct" wants the name of a type after it', id="no name"),
        pytest.param(["u", "fiel", "x"], 2, '"fiel" is no source of types', id="source"),
        pytest.param(
            ["u", "file", "FILE", "more"], 2,
            '"more" is one word too many: nothing is expected there', id="too many",
        ),
        pytest.param(
            ["id", "1", "--expand"], 2, "--base-btf and --expand are for one type", id="expand"
        ),
    ],
)  # fmt: skip
def test_errors(file: str, words: list[str], status: int, error: str) -> None:
    done = run("btf", "show", *[file if word == "FILE" else word for word in words])
    assert (done.status, done.out) == (status, "")
    assert error in done.err.splitlines()[0]


def test_a_similar_name_is_suggested(file: str) -> None:
    done = run("btf", "show", "pari_t", "file", file)
    assert "did you mean pair_t?" in done.err


def test_the_name_of_a_constant(tmp_path: Path) -> None:
    """People have it from a header, and look for what it belongs to."""
    values = (t.EnumValue("RED", 7),)
    types = (
        t.Enum(1, "hue", 4, signed=False, values=values),
        t.Enum(2, "", 4, signed=False, values=(t.EnumValue("LOST", 1),)),
    )
    (tmp_path / "types").write_bytes(build(types))
    for name, owner in (("RED", "enum hue: RED = 7"), ("LOST", "an enum without a name: LOST = 1")):
        done = run("-j", "btf", "show", name, "file", str(tmp_path / "types"))
        error = done.json["error"]
        assert (done.status, error["message"]) == (3, f'"{name}" is no type')
        assert error["remedy"] == f"it is a constant of {owner}"


@pytest.mark.parametrize(
    ("start", "tool"),
    [(b"\x1f\x8b\x08\0", "gunzip"), (b"\xfd7zXZ\0", "unxz"), (b"\x28\xb5\x2f\xfd", "unzstd")],
)
def test_a_module_as_distributions_have_it(tmp_path: Path, start: bytes, tool: str) -> None:
    path = tmp_path / "m.ko.x"
    path.write_bytes(start + bytes(100))
    error = run("-j", "btf", "dump", "file", str(path)).json["error"]
    assert error["message"] == "is compressed"
    assert error["remedy"] == f"unpack it first: {tool} < {path} > FILE"
