"""`bpfctl gen`: words and errors, on types of an object file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.decode import Btf
from bpfctl.btf.types import Kind
from bpfctl.objects.btf_source import raw_btf
from tests.builders.btf import DATA
from tests.cli.runner import run

if TYPE_CHECKING:
    from pathlib import Path

TYPES = str(DATA / "core.bpf.o")
STRUCT = "struct fentry_use_core_ctx {\n\tstruct bpf_iter__task *ctx;\n};\n"


def test_contexts() -> None:
    done = run("gen", "ctx", "fentry/use_core", "fexit.s/use_core", "--btf", TYPES)
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        STRUCT + "\nstruct fexit_use_core_ctx {\n\tstruct bpf_iter__task *ctx;\n"
        "\tint ret __attribute__((aligned(8)));\n};\n"
    )


def test_a_program() -> None:
    done = run("gen", "prog", "fentry.s/use_core", "--btf", TYPES)
    assert (done.status, done.err) == (0, "")
    assert STRUCT in done.out
    assert (
        '\nSEC("fentry.s/use_core")\nint on_use_core(struct fentry_use_core_ctx *ctx)' in done.out
    )


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        pytest.param(
            ["ctx"], 2, "for which program? expected a section such as fentry/do_unlinkat",
            id="nothing",
        ),
        pytest.param(
            ["ctx", "xdp"], 2, 'xdp: section "xdp" has no context of arguments', id="no tracing"
        ),
        pytest.param(
            ["prog", "fentry"], 2, 'fentry: section "fentry" names no target', id="no target"
        ),
        pytest.param(
            ["prog", "fentry/use_coer"], 3,
            'fentry/use_coer: there is no target "use_coer" for fentry', id="misspelt",
        ),
        pytest.param(
            ["prog", "iter/a", "iter/b"], 2, "one program at a time: expected one SECTION", id="two"
        ),
    ],
)  # fmt: skip
def test_errors(words: list[str], status: int, error: str) -> None:
    done = run("gen", *words, "--btf", TYPES)
    assert (done.status, done.out) == (status, "")
    assert done.err.splitlines()[0] == f"bpfctl: {error}"


def test_the_misspelt_name_is_found() -> None:
    assert "did you mean use_core?" in run("gen", "prog", "fentry/use_coer", "--btf", TYPES).err


def test_types_that_are_missing() -> None:
    done = run("gen", "ctx", "fentry/x", "--btf", "/no/such")
    assert (done.status, done.err) == (
        1, "bpfctl: /no/such: cannot read it: no such file or directory\n"
    )  # fmt: skip


def test_small_types(tmp_path: Path) -> None:
    """An object's own types stand for a kernel's."""
    target = tmp_path / "small.btf"
    done = run("gen", "min_core_btf", TYPES, str(target), TYPES)
    assert (done.status, done.out) == (0, "")
    assert done.err == (
        f"warning: {TYPES} asks for ids of types, which are others in the smaller file\n"
    )
    small = Btf.parse(target.read_bytes())
    assert small.find("task_struct", Kind.STRUCT) is not None
    assert small.find("use_core", Kind.FUNC) is None
    assert len(target.read_bytes()) < len(raw_btf(TYPES)) / 2


def test_an_object_without_relocations(tmp_path: Path) -> None:
    """It is said, for it is seldom what was meant."""
    target, plain = tmp_path / "small.btf", str(DATA / "maps.bpf.o")
    done = run("-j", "gen", "min_core_btf", TYPES, str(target), plain)
    assert (done.status, done.out) == (0, "null\n")
    assert done.err == f"warning: {plain} has no CO-RE relocations\n"
    assert len(Btf.parse(target.read_bytes())) == 1


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        pytest.param([], 2, "expected INPUT, OUTPUT and at least one OBJECT", id="nothing"),
        pytest.param([TYPES, "OUT"], 2, "expected INPUT, OUTPUT and at least", id="no object"),
        pytest.param(["/no/such", "OUT", TYPES], 1, "/no/such: cannot read it", id="no input"),
        pytest.param([TYPES, "OUT", "/no/such"], 1, "/no/such: cannot read it", id="gone"),
        pytest.param([TYPES, "OUT", "/bin/sh"], 1, "/bin/sh: ", id="another file"),
    ],
)
def test_errors_leave_no_file(tmp_path: Path, words: list[str], status: int, error: str) -> None:
    target = tmp_path / "out"
    done = run("gen", "min_core_btf", *[str(target) if one == "OUT" else one for one in words])
    assert (done.status, done.out) == (status, "")
    assert done.err.splitlines()[0].startswith(f"bpfctl: {error}")
    assert not target.exists()
