from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.elf.spec import MapSpec
from bpfctl.errors import (
    BpfctlError,
    KeyNotFoundError,
    NotFoundError,
    NotSupportedError,
    PathError,
    SyscallError,
    UsageError,
)
from bpfctl.explain import engine
from bpfctl.explain.explanation import Explanation, Outcome
from bpfctl.kernel.attr import map_create
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.uapi import Cmd, MapType
from tests.fakes.kernel import FakeKernel

if TYPE_CHECKING:
    from bpfctl.explain.failure import Failure


def refused(**context: Any) -> SyscallError:
    return SyscallError(errno.EINVAL, "BPF_MAP_CREATE", "create map m", **context)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets the checks of BPF_MAP_CREATE."""

    def are(*found: Any) -> None:
        table = {f"fake:{at}": one for at, one in enumerate(found)}
        monkeypatch.setattr(engine, "BY_CALL", {"BPF_MAP_CREATE": tuple(table)})
        monkeypatch.setattr(engine, "ALWAYS", ())
        monkeypatch.setattr(engine, "load_check", table.__getitem__)

    return are


def cause(outcome: Outcome = Outcome.REFUSED, since: str | None = None) -> Any:
    return lambda failure: Explanation("x", "no", ("seen",), "do it", outcome, since)


def test_a_confirmed_cause_goes_into_the_error(checks: Any) -> None:
    checks(cause())
    error = refused(evidence=["before"])
    assert engine.explain(error) is error
    assert (error.code, error.message, error.remedy) == ("x", "no", "do it")
    assert (error.evidence, error.candidates) == (["seen", "before"], [])


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Outcome.ABSENT, NotFoundError),
        (Outcome.PLACE, PathError),
        (Outcome.WRONG, UsageError),
    ],
)
def test_the_class_says_what_it_turned_out_to_be(
    outcome: Outcome, kind: type[BpfctlError], checks: Any
) -> None:
    checks(cause(outcome))
    error = refused(subject="o", program="p", operation="prog-load")
    found = engine.explain(error)
    assert type(found) is kind
    assert (found.code, found.message, found.refusal) == ("x", "no", error)
    assert (found.subject, found.program, found.operation) == ("o", "p", "prog-load")
    assert engine.explain(found) is found


def test_what_the_kernel_lacks_has_a_first_version(checks: Any) -> None:
    checks(cause(Outcome.LACKING, "6.9"))
    found = engine.explain(refused())
    assert isinstance(found, NotSupportedError)
    assert str(found) == "this kernel does not support no (since Linux 6.9)"
    assert (found.feature, found.since) == ("no", "6.9")


def test_a_fault_of_a_check_does_not_hide_the_failure(checks: Any) -> None:
    def faulty(failure: Failure) -> None:
        raise ZeroDivisionError

    checks(faulty, cause())
    error = engine.explain(refused())
    assert error.code == "x"
    assert error.__notes__ == ["check fake:0 went wrong: ZeroDivisionError()"]


def test_what_is_undone_stays_so(checks: Any) -> None:
    checks(cause(Outcome.ABSENT))
    error = refused()
    error.undone = True
    assert engine.explain(error).undone


def test_the_first_confirmed_wins_and_candidates_of_others_go(checks: Any) -> None:
    def doubtful(failure: Failure) -> None:
        failure.candidates.append("could be")
        failure.evidence.append("was seen")

    def broken(failure: Failure) -> None:
        raise OSError(failure.errno, "cannot look")

    checks(doubtful, broken, cause(), lambda failure: pytest.fail("not asked"))
    error = engine.explain(refused())
    assert (error.evidence, error.candidates) == (["seen"], [])
    checks(doubtful, broken)
    error = engine.explain(refused())
    assert (error.code, error.evidence, error.candidates) == (
        "syscall-failed",
        ["was seen"],
        ["could be"],
    )


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(BpfctlError("no"), id="no refusal"),
        pytest.param(refused(code="known"), id="explained where it was raised"),
        pytest.param(KeyNotFoundError(errno.ENOENT, "BPF_MAP_CREATE", "x"), id="no key"),
    ],
)
def test_what_has_a_cause_is_left_alone(error: BpfctlError, checks: Any) -> None:
    if not isinstance(error, KeyNotFoundError):
        checks(lambda failure: pytest.fail("not asked"))
    assert engine.explain(error) is error
    assert engine.explain(error) is error


def test_checks_see_what_is_known(checks: Any) -> None:
    seen: list[Any] = []

    def look(failure: Failure) -> None:
        seen.extend([failure.call, failure.errno, failure.field("map_type")])
        seen.extend([failure.fact(MapSpec), failure.fact(str), failure.program])

    checks(look)
    spec = MapSpec("m", MapType.HASH, 4, 4, 1)
    attr = map_create(map_type=MapType.HASH, key_size=4, value_size=4, max_entries=1)
    with (
        FakeKernel().on(Cmd.MAP_CREATE, -errno.EINVAL),
        pytest.raises(SyscallError) as raised,
    ):
        bpf(attr)
    engine.explain(raised.value, spec)
    assert seen == ["BPF_MAP_CREATE", errno.EINVAL, int(MapType.HASH), spec, None, None]


def test_every_check_of_the_tables_exists() -> None:
    from bpfctl.explain.tables import ALWAYS, BY_CALL

    names = {name for row in BY_CALL.values() for name in row} | set(ALWAYS)
    assert [name for name in names if not callable(engine.load_check(name))] == []
