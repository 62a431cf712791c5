"""`requires`: the table, JSON and errors."""

from __future__ import annotations

import pytest

from tests.builders.btf import DATA
from tests.cli.runner import run

ARENA = str(DATA / "arena.bpf.o")
KSYMS = str(DATA / "ksyms.bpf.o")


def test_a_table() -> None:
    done = run("requires", ARENA)
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        f"{ARENA}: Linux 6.9 or later, for map type arena, instruction address space casts\n"
        "KIND         NAME                 SINCE    NEEDED    PROGRAMS\n"
        "program      syscall              5.14     yes       use_arena\n"
        "code         global variables     5.2      yes       -\n"
        "map type     arena                6.9      yes       -\n"
        "map type     array                3.19     yes       -\n"
        "instruction  address space casts  6.9      yes       use_arena\n"
    )


def test_what_is_guarded_and_what_nobody_knows() -> None:
    done = run("requires", KSYMS)
    head, *rows, last = done.out.splitlines()
    assert head.endswith(
        ": Linux 6.2 or later, for kfunc bpf_task_from_pid___flavor, kfunc bpf_task_release"
    )
    assert "kfunc     bpf_no_such_function        -        guarded   use_ksyms" in rows
    assert last == (
        "one of these has no known first version: bpfctl check --btf tells which kernels do"
    )


def test_json() -> None:
    done = run("-j", "requires", ARENA, KSYMS)
    first, second = done.json
    assert (first["object"], first["minimum"], first["undated"]) == (ARENA, "6.9", 0)
    assert first["requirements"][0] == {
        "kind": "program",
        "name": "syscall",
        "since": "5.14",
        "guarded": False,
        "programs": ["use_arena"],
    }
    assert second["reasons"] == ["kfunc bpf_task_from_pid___flavor", "kfunc bpf_task_release"]


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        pytest.param([], 2, "what do you want to know about?", id="nothing"),
        pytest.param(["/nowhere.o"], 1, "/nowhere.o: cannot read it", id="no object"),
        pytest.param([ARENA, "--only", "none"], 3, "no program is called none", id="no program"),
    ],
)
def test_errors(words: list[str], status: int, error: str) -> None:
    done = run("requires", *words)
    assert (done.status, done.out) == (status, "")
    assert error in done.err.splitlines()[0]
