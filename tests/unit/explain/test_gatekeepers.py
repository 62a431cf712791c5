"""Who said no before the kernel looked at the command."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from bpfctl.errors import SyscallError
from bpfctl.explain import gatekeepers
from bpfctl.explain.failure import Failure
from bpfctl.explain.gatekeepers import seccomp, security_module, surroundings
from bpfctl.kernel.bpf import replaced


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets what is around this process."""

    def be(*, capable: bool = True, filtered: bool = True, initial: bool = True) -> None:
        monkeypatch.setattr(gatekeepers, "has_capability", lambda one: capable)
        monkeypatch.setattr(gatekeepers, "seccomp_filtered", lambda: filtered)
        monkeypatch.setattr(gatekeepers, "in_initial_user_namespace", lambda: initial)
        monkeypatch.setattr(gatekeepers, "lockdown_mode", lambda: "integrity")
        monkeypatch.setattr(gatekeepers, "active_lsms", lambda: ["capability", "selinux"])

    be()
    return be


def failure(number: int = errno.EPERM, call: str = "BPF_PROG_LOAD") -> Failure:
    return Failure(SyscallError(number, call, "load"))


def answers(large: int, small: int = errno.EINVAL) -> Any:
    """Answer requests that are larger than a page, and others."""
    return lambda cmd, union, size: -(large if size > 4096 else small)


@pytest.mark.parametrize(
    ("answer", "code"),
    [(errno.EPERM, "seccomp-refuses-bpf"), (errno.E2BIG, None), (0, None)],
)
def test_a_filter_answers_what_the_kernel_would_not(
    answer: int, code: str | None, around: Any
) -> None:
    with replaced(answers(answer)):
        found = seccomp(failure())
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("facts", "number", "call"),
    [
        pytest.param({"capable": False}, errno.EPERM, "BPF_PROG_LOAD", id="no CAP_BPF"),
        pytest.param({"initial": False}, errno.EPERM, "BPF_PROG_LOAD", id="not here"),
        pytest.param({"filtered": False}, errno.EPERM, "BPF_PROG_LOAD", id="no filter"),
        pytest.param({}, errno.EINVAL, "BPF_PROG_LOAD", id="another errno"),
        pytest.param({}, errno.EPERM, "netlink", id="another call"),
    ],
)
def test_no_filter_is_blamed(facts: dict[str, bool], number: int, call: str, around: Any) -> None:
    around(**facts)
    with replaced(answers(errno.EPERM)):
        assert seccomp(failure(number, call)) is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [(errno.EACCES, "security-module-refuses-bpf"), (errno.EINVAL, None)],
)
def test_a_module_answers_before_the_command_is_looked_at(
    answer: int, code: str | None, around: Any
) -> None:
    with replaced(answers(errno.E2BIG, answer)):
        found = security_module(failure())
    assert (found.code if found else None) == code
    assert not found or found.evidence == (
        "even a command that does not exist is refused with EACCES",
        "active security modules: capability, selinux",
    )


@pytest.mark.parametrize(
    ("facts", "number", "call"),
    [
        pytest.param({"capable": False}, errno.EPERM, "BPF_PROG_LOAD", id="no CAP_BPF"),
        pytest.param({"initial": False}, errno.EPERM, "BPF_PROG_LOAD", id="not here"),
        pytest.param({}, errno.EINVAL, "BPF_PROG_LOAD", id="another errno"),
        pytest.param({}, errno.EPERM, "mount", id="another call"),
    ],
)
def test_no_module_is_blamed(facts: dict[str, bool], number: int, call: str, around: Any) -> None:
    around(**facts)
    with replaced(answers(errno.EPERM, errno.EPERM)):
        assert security_module(failure(number, call)) is None


def test_what_else_may_refuse_is_a_candidate(around: Any) -> None:
    one = failure()
    surroundings(one)
    assert one.evidence == ["this process has CAP_SYS_ADMIN in the initial user namespace"]
    assert one.candidates == [
        "lockdown, which is integrity (check: dmesg | grep Lockdown)",
        "the security module selinux (check: its log)",
    ]


@pytest.mark.parametrize("facts", [{"capable": False}, {"initial": False}])
def test_without_rights_nothing_else_is_named(facts: dict[str, bool], around: Any) -> None:
    around(**facts)
    one = failure()
    surroundings(one)
    assert (one.evidence, one.candidates) == ([], [])
