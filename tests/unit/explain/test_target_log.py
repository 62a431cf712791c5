"""What a log says of the function that a program is loaded for."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.errors import VerifierError
from bpfctl.explain import functions
from bpfctl.explain.compiler import no_source_lines
from bpfctl.explain.failure import Failure
from bpfctl.explain.functions import without_code
from bpfctl.explain.target_log import unfit
from bpfctl.linux.function_facts import FunctionFacts
from bpfctl.loader.attach_target import TargetWish
from bpfctl.loader.options import LoadOptions
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.select import Selector

if TYPE_CHECKING:
    from bpfctl.elf.spec import ObjectSpec

DATA = Path(__file__).parents[2] / "data"
END = "processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0\n"


def rejected(log: str, program: str = "on_unlink") -> VerifierError:
    return VerifierError(errno.EINVAL, "load program", log, program=program)


def spec(name: str = "fentry") -> ObjectSpec:
    return read_object(f"{DATA}/{name}.bpf.o")


def failed(log: str, wish: TargetWish | None = None) -> Failure:
    error = rejected(log + END)
    error.knowing(spec(), LoadOptions(targets={"": wish} if wish else {}))
    return Failure(error)


@pytest.mark.parametrize(
    ("line", "function", "code"),
    [
        pytest.param(
            "Attaching fexit/fmod_ret to __noreturn functions is rejected.", "do_exit",
            "function-never-returns", id="noreturn",
        ),
        pytest.param(
            "Attaching fexit/fsession/fmod_ret to __noreturn function 'do_exit' is rejected.",
            "do_exit", "function-never-returns", id="noreturn, by name",
        ),
        pytest.param(
            "The function panic with variable args is unsupported.", "panic", "function-variadic",
            id="variadic",
        ),
        pytest.param(
            "Attaching tracing programs to function 'migrate_disable' is rejected.",
            "migrate_disable", "function-denied", id="denied",
        ),
        pytest.param("", "vmlinux:__rcu_read_lock", "function-denied", id="denied in silence"),
    ],
)  # fmt: skip
def test_functions_that_are_refused(line: str, function: str, code: str) -> None:
    found = unfit(failed(f"{line}\n" if line else "", TargetWish(function)))
    assert found is not None
    assert found.code == code
    assert function.rpartition(":")[2] in found.headline
    assert [one for one in found.evidence if one == f"the kernel says: {line}"] == (
        [f"the kernel says: {line}"] if line else []
    )


@pytest.mark.parametrize(
    ("log", "wish"),
    [
        pytest.param("", None, id="a function that is not on the list"),
        pytest.param("vfs_unlink is not sleepable\n", None, id="other words"),
        pytest.param(
            "",
            TargetWish("migrate_disable", Selector(ObjectKind.PROG, "id", "7")),
            id="a function of a program",
        ),
    ],
)
def test_other_refusals(log: str, wish: TargetWish | None) -> None:
    assert unfit(failed(log, wish)) is None


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        pytest.param(FunctionFacts("f", ()), "function-without-code", id="nowhere"),
        pytest.param(FunctionFacts("f", (), ("f.isra.0",)), "function-renamed", id="copies"),
        pytest.param(FunctionFacts("f", ("",)), None, id="there"),
        pytest.param(FunctionFacts("f", None), None, id="no symbols"),
    ],
)
def test_no_address(
    facts: FunctionFacts, code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "function_facts", lambda _: facts)
    found = without_code(failed("The address of function f cannot be found\n"))
    assert (found.code if found else None) == code


def test_another_log() -> None:
    assert without_code(failed("")) is None


@pytest.mark.parametrize(
    ("name", "program", "insn", "expected"),
    [
        pytest.param("null_check", "careless", 7, False, id="it has lines"),
        pytest.param("null_check", "careless", None, False, id="no instruction"),
        pytest.param("null_check", "none", 7, False, id="no such program"),
    ],
)
def test_source_lines(name: str, program: str, insn: int | None, expected: bool) -> None:
    error = rejected("", program)
    error.insn = insn
    assert bool(no_source_lines(error, spec(name))) is expected
