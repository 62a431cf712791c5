"""`bpfctl btf diff`: text, JSON and exit statuses, on two files made here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from tests.builders.btf import build
from tests.cli.runner import run

if TYPE_CHECKING:
    from pathlib import Path

INT = t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32)
OLD = (
    INT,
    t.FuncProto(2, "", 0, (t.Param("a", 1),)),
    t.Func(3, "act", 2, t.FuncLinkage.GLOBAL),
    t.Struct(
        4, "s", 20,
        tuple(t.Member(name, 1, 32 * place) for place, name in enumerate("abcde")),
    ),
    t.Enum(5, "hue", 4, signed=True, values=(t.EnumValue("RED", -1), t.EnumValue("BLUE", 2))),
    t.Typedef(6, "gone\x1b", 1),
    t.Fwd(7, "later"),
    t.FuncProto(8, "", 0, (t.Param("first_parameter", 1),)),
    t.Func(9, "long_name", 8, t.FuncLinkage.GLOBAL),
)  # fmt: skip
NEW = (
    INT,
    t.FuncProto(2, "", 1, (t.Param("a", 1),)),
    t.Func(3, "act", 2, t.FuncLinkage.GLOBAL),
    t.Struct(
        4, "s", 24,
        (
            t.Member("new", 1, 0), t.Member("a", 1, 32), t.Member("b", 1, 64),
            t.Member("c", 1, 96, 4), t.Member("e", 1, 100, 28),
        ),
    ),
    t.Enum(5, "hue", 4, signed=True, values=(t.EnumValue("RED", 3), t.EnumValue("WHITE", 2))),
    t.Struct(6, "fresh", 4, (t.Member("x", 1, 0),), is_union=True),
    t.FuncProto(7, "", 1, (t.Param("first_parameter", 1),)),
    t.Func(8, "long_name", 7, t.FuncLinkage.GLOBAL),
)  # fmt: skip
TEXT = """\
~ enum hue
    - BLUE = 2
    ~ RED: -1 -> 3
    + WHITE = 2
~ func act
    ~ void act(int a) -> int act(int a)
~ func long_name
    - void long_name(int first_parameter)
    + int long_name(int first_parameter)
- struct later: declared only
~ struct s
    ~ size 20 -> 24
    - d: int, offset 12
    + new: int, offset 0
    > a ... b (2 members): offset 0 -> 4 (+4)
    ~ c: int -> int : 4, offset 8 -> 12
    ~ e: int -> int : 28, offset 16 -> 12:4
- typedef gone\\x1b: int
+ union fresh: 4 bytes
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    for name, types in (("old", OLD), ("new", NEW)):
        (tmp_path / name).write_bytes(build(types))
    return ["btf", "diff", "file", str(tmp_path / "old"), "file", str(tmp_path / "new")]


def test_text(words: list[str]) -> None:
    done = run(*words)
    assert (done.status, done.out, done.err) == (0, TEXT, "")


def test_exit_code(words: list[str]) -> None:
    assert run(*words, "--exit-code").status == 1
    same = run(*words[:4], *words[2:4], "--exit-code")
    assert (same.status, same.out) == (0, "")


def test_names(words: list[str]) -> None:
    assert (
        run(*words, "--name", "[fg]*").out == "- typedef gone\\x1b: int\n+ union fresh: 4 bytes\n"
    )
    assert run(*words, "--name", "nobody", "--exit-code").status == 0


def test_json(words: list[str]) -> None:
    found = run("-j", *words).json
    assert found["added"] == [{"kind": "union", "name": "fresh", "size": 4}]
    assert found["removed"] == [
        {"kind": "struct", "name": "later", "text": "declared only"},
        {"kind": "typedef", "name": "gone\x1b", "text": "int"},
    ]
    struct = next(one for one in found["changed"] if one["kind"] == "struct")
    assert struct["changes"][:2] == [
        {"what": "size", "name": "", "old": 20, "new": 24},
        {"what": "member", "name": "d", "old": {"type": "int", "bits_offset": 96}, "new": None},
    ]
    assert run("-j", *words[:4], *words[2:4]).json == {"added": [], "removed": [], "changed": []}
    lines = run("-o", "jsonl", *words).out.splitlines()
    assert [json.loads(line)["change"] for line in lines] == [
        "added", "removed", "removed", "changed", "changed", "changed", "changed"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "error"),
    [
        pytest.param([], "which types? expected kernel, file, id, prog or map", id="nothing"),
        pytest.param(["file", "OLD"], "which types? expected kernel", id="one"),
        pytest.param(
            ["file", "OLD", "file", "OLD", "x"],
            '"x" is one word too many: nothing is expected there', id="three",
        ),
    ],
)  # fmt: skip
def test_errors(words: list[str], more: list[str], error: str) -> None:
    done = run("btf", "diff", *[words[3] if word == "OLD" else word for word in more])
    assert (done.status, done.out) == (2, "")
    assert error in done.err.splitlines()[0]
