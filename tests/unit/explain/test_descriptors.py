"""More open files than a process may have."""

from __future__ import annotations

import errno
import resource
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.spec import MapSpec, ObjectSpec
from bpfctl.errors import SyscallError
from bpfctl.explain.descriptors import exhausted
from bpfctl.explain.failure import Failure
from bpfctl.kernel.uapi import MapType

if TYPE_CHECKING:
    from collections.abc import Sequence


def failure(number: int, *facts: object) -> Failure:
    error = SyscallError(number, "BPF_MAP_CREATE", "create map m")
    error.knowing(*facts)
    return Failure(error)


SPEC = ObjectSpec("x.o", "GPL", 0, (), {}, (MapSpec("m", MapType.HASH, 4, 4, 1),))


@pytest.mark.parametrize(
    ("hard", "facts", "evidence", "remedy"),
    [
        pytest.param(
            1024,
            (),
            ["this process may open 1024 files (RLIMIT_NOFILE)"],
            "raise the limit of open files: ulimit -n",
            id="no further",
        ),
        pytest.param(
            4096,
            (SPEC,),
            [
                "this process may open 1024 files (RLIMIT_NOFILE)",
                "the object has 1 maps and 0 programs, which take one each while it is loaded",
            ],
            "raise the limit of open files: ulimit -n (up to 4096 without rights)",
            id="a load",
        ),
    ],
)
def test_the_limit_is_named(
    hard: int,
    facts: Sequence[object],
    evidence: list[str],
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, hard))
    found = exhausted(failure(errno.EMFILE, *facts))
    assert found is not None
    assert found.code == "too-many-descriptors"
    assert (list(found.evidence), found.remedy) == (evidence, remedy)


def test_another_errno() -> None:
    assert exhausted(failure(errno.ENOMEM)) is None
