"""What a check found out: the cause of a failure."""

from __future__ import annotations

from bpfctl.plain import plain
from bpfctl.plain_enum import Enum


class Outcome(Enum):
    """What kind of failure it turned out to be, which decides the exit status.

    REFUSED stays the kernel's answer (SyscallError). LACKING is a thing this kernel does not have
    (NotSupportedError), ABSENT an object that is not there (NotFoundError), PLACE a path that will
    not do (PathError), and WRONG a request that makes no sense anywhere (UsageError).
    """

    REFUSED = "refused"
    LACKING = "lacking"
    ABSENT = "absent"
    PLACE = "place"
    WRONG = "wrong"


@plain
class Explanation:
    """A confirmed cause, for the error that is raised.

    `code` has an entry in `bpfctl.explain.catalogue`; `headline` is the cause in one sentence.
    `since` is the first mainline version with what a kernel lacks ("6.9"; LACKING only).
    """

    code: str
    headline: str
    evidence: tuple[str, ...] = ()
    remedy: str | None = None
    outcome: Outcome = Outcome.REFUSED
    since: str | None = None
