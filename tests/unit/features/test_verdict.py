"""From an errno to one of three answers."""

from __future__ import annotations

import errno

import pytest

from bpfctl.errors import ENOTSUPP
from bpfctl.features.options import explained
from bpfctl.features.verdict import (
    Answer,
    Verdict,
    available,
    errno_name,
    judge,
    not_available,
    unknown,
)
from bpfctl.linux.kconfig import KernelConfig

NO, YES = frozenset({errno.EINVAL}), frozenset({errno.EBADF})


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(0, Verdict(Answer.AVAILABLE, since="5.7"), id="success"),
        pytest.param(errno.EBADF, Verdict(Answer.AVAILABLE, since="5.7"), id="complaint-of-a-yes"),
        pytest.param(
            errno.EINVAL,
            Verdict(Answer.NOT_AVAILABLE, "the kernel answers EINVAL", errno.EINVAL, "5.7"),
            id="a-no",
        ),
        pytest.param(
            errno.EPERM,
            Verdict(Answer.UNKNOWN, "the kernel answers EPERM", errno.EPERM, "5.7"),
            id="denied",
        ),
        pytest.param(
            errno.ENOMEM,
            Verdict(Answer.UNKNOWN, "the kernel answers ENOMEM", errno.ENOMEM, "5.7"),
            id="anything-else",
        ),
    ],
)
def test_judge(number: int, expected: Verdict) -> None:
    assert judge(number, no=NO, yes=YES, since="5.7") == expected


@pytest.mark.parametrize(
    ("verdict", "boolean", "denied", "fields"),
    [
        (available("4.8"), True, False, {"answer": "available", "since": "4.8"}),
        (
            not_available("CONFIG_X is not set", errno.EINVAL),
            False,
            False,
            {"answer": "not-available", "reason": "CONFIG_X is not set", "errno": "EINVAL"},
        ),
        (
            unknown("denied", errno.EPERM, "5.5"),
            None,
            True,
            {"answer": "cannot-tell", "reason": "denied", "errno": "EPERM", "since": "5.5"},
        ),
        (unknown("no idea"), None, False, {"answer": "cannot-tell", "reason": "no idea"}),
        (unknown("full", errno.ENOSPC), None, False, None),
        (unknown("kept out", errno.EACCES), None, True, None),
    ],
)
def test_words_of_a_verdict(
    verdict: Verdict, boolean: bool | None, denied: bool, fields: dict[str, str] | None
) -> None:
    assert (verdict.available, verdict.denied) == (boolean, denied)
    assert fields is None or verdict.to_json() == fields


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "EPERM"), (ENOTSUPP, "ENOTSUPP"), (errno.EOPNOTSUPP, "EOPNOTSUPP"), (4000, "4000")],
)
def test_errno_name(number: int, name: str) -> None:
    assert errno_name(number) == name


NAMED = not_available("CONFIG_BPF_LSM is not set", errno.EINVAL, "5.7")
PLAIN = not_available("the kernel answers EINVAL", errno.EINVAL, "5.7")


@pytest.mark.parametrize(
    ("verdict", "option", "options", "expected"),
    [
        pytest.param(PLAIN, "CONFIG_BPF_LSM", {}, NAMED, id="not-set"),
        pytest.param(PLAIN, "CONFIG_BPF_LSM", {"CONFIG_BPF_LSM": "y"}, PLAIN, id="set"),
        pytest.param(PLAIN, "CONFIG_BPF_LSM", None, PLAIN, id="nothing-tells"),
        pytest.param(PLAIN, "", {}, PLAIN, id="no-option-builds-it"),
        pytest.param(available(), "CONFIG_BPF_LSM", {}, available(), id="a-yes-stays"),
        pytest.param(unknown("?"), "CONFIG_BPF_LSM", {}, unknown("?"), id="unknown-stays"),
    ],
)
def test_a_no_is_explained_by_the_configuration(
    verdict: Verdict, option: str, options: dict[str, str] | None, expected: Verdict
) -> None:
    config = None if options is None else KernelConfig("", options)
    assert explained(verdict, option, config) == expected
