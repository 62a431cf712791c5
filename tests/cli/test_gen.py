"""`bpfctl gen`: words and errors, on types of an object file."""

from __future__ import annotations

import pytest

from tests.builders.btf import DATA
from tests.cli.runner import run

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
