"""Three answers to "can this kernel do it?": yes, no, or cannot tell."""

from __future__ import annotations

import errno

from bpfctl.errors import ENOTSUPP
from bpfctl.plain import plain
from bpfctl.plain_enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Answer(Enum):
    """The answer, in the words that JSON carries."""

    AVAILABLE = "available"
    NOT_AVAILABLE = "not-available"
    UNKNOWN = "cannot-tell"


@plain
class Verdict:
    """An answer and what it rests on.

    `reason` is empty for a plain yes. `errno` is what the kernel said, 0 for success. `since` is
    the first mainline version that has the feature ("5.7"); it words messages and checks probes in
    tests, and never decides anything.
    """

    answer: Answer
    reason: str = ""
    errno: int = 0
    since: str = ""

    @property
    def available(self) -> bool | None:
        """True, False, or None where it cannot be told."""
        return {Answer.AVAILABLE: True, Answer.NOT_AVAILABLE: False}.get(self.answer)

    @property
    def denied(self) -> bool:
        """Say whether a lack of permission is why it cannot be told."""
        return self.answer is Answer.UNKNOWN and self.errno in (errno.EPERM, errno.EACCES)

    def to_json(self) -> dict[str, Any]:
        """Return the fields that say something."""
        fields: dict[str, Any] = {"answer": self.answer.value}
        if self.reason:
            fields["reason"] = self.reason
        if self.errno:
            fields["errno"] = errno_name(self.errno)
        if self.since:
            fields["since"] = self.since
        return fields


def errno_name(number: int) -> str:
    """Return the symbol of an errno, as the kernel's source has it ("EPERM")."""
    same = {ENOTSUPP: "ENOTSUPP", errno.EOPNOTSUPP: "EOPNOTSUPP"}  # libc: also ENOTSUP
    return same.get(number) or errno.errorcode.get(number, str(number))


def available(since: str = "") -> Verdict:
    """Return a plain yes."""
    return Verdict(Answer.AVAILABLE, since=since)


def not_available(reason: str, number: int = 0, since: str = "") -> Verdict:
    """Return a no with its reason."""
    return Verdict(Answer.NOT_AVAILABLE, reason, number, since)


def unknown(reason: str, number: int = 0, since: str = "") -> Verdict:
    """Return "cannot tell" with its reason."""
    return Verdict(Answer.UNKNOWN, reason, number, since)


def judge(number: int, *, no: frozenset[int], yes: frozenset[int], since: str = "") -> Verdict:
    """Turn the errno of a probe (0 for success) into a verdict.

    `no` are the errnos that this probe is known to give only where the feature is missing, `yes`
    those that it gives only where it exists. Any other is no answer.
    """
    if number == 0 or number in yes:
        return Verdict(Answer.AVAILABLE, errno=0, since=since)
    name = errno_name(number)
    if number in no:
        return Verdict(Answer.NOT_AVAILABLE, f"the kernel answers {name}", number, since)
    return Verdict(Answer.UNKNOWN, f"the kernel answers {name}", number, since)
