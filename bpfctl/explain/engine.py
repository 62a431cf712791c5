"""From a failure to its cause: runs the checks of the operation that failed.

Nothing here is imported, and no check runs, unless something failed.
"""

from __future__ import annotations

from importlib import import_module

from bpfctl.errors import (
    BpfctlError,
    NotFoundError,
    NotSupportedError,
    PathError,
    SyscallError,
    UsageError,
    VerifierError,
)
from bpfctl.explain.explanation import Explanation, Outcome
from bpfctl.explain.failure import Failure
from bpfctl.explain.tables import ALWAYS, BY_CALL, BY_LOG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    Check = Callable[[Failure], Explanation | None]

_CLASSES: Final[dict[Outcome, type[BpfctlError]]] = {
    Outcome.ABSENT: NotFoundError,
    Outcome.PLACE: PathError,
    Outcome.WRONG: UsageError,
}


def explain(error: BpfctlError, *facts: object) -> BpfctlError:
    """Return the error to raise instead: with the cause, where a check confirms one.

    That is the error itself, or one of the class that says what it turned out to be; its `refusal`
    is then the kernel's answer. `facts` are what the operation was about. What has been explained
    before stays as it is.
    """
    error.knowing(*facts)
    if error.explained or not isinstance(error, SyscallError):
        return error
    error.explained = True
    if error.code != error.default_code:
        return error
    failure = Failure(error)
    found = _first(failure)
    if found is not None:
        return _with(error, found)
    error.evidence += failure.evidence
    error.candidates += failure.candidates
    return error


def _first(failure: Failure) -> Explanation | None:
    """Run the checks until one confirms a cause. What cannot be looked at confirms nothing."""
    is_logged = isinstance(failure.error, VerifierError)
    for name in BY_LOG if is_logged else (*BY_CALL.get(failure.call, ()), *ALWAYS):
        try:
            found = load_check(name)(failure)
        except (BpfctlError, OSError):
            continue
        except Exception as err:  # noqa: BLE001 - a fault of a check must not hide the failure
            failure.error.add_note(f"check {name} went wrong: {err!r}")
            continue
        if found is not None:
            return found
    return None


def load_check(name: str) -> Check:
    """Import a check by the name it has in the tables ("rights:capabilities")."""
    module, _, function = name.partition(":")
    check: Check = getattr(import_module(f"bpfctl.explain.{module}"), function)
    return check


def _with(error: SyscallError, found: Explanation) -> BpfctlError:
    """Put the cause into the error, or into a new one of the class that fits."""
    if found.outcome is Outcome.REFUSED:
        result: BpfctlError = error
    elif found.outcome is Outcome.LACKING:
        result = NotSupportedError(found.headline, found.since)
    else:
        result = _CLASSES[found.outcome](found.headline)
    if result is not error:
        result.refusal, result.explained, result.facts = error, True, error.facts
        result.undone = error.undone
        result.within(operation=error.operation, subject=error.subject, program=error.program)
    if found.outcome is not Outcome.LACKING:
        result.message = found.headline
    result.code, result.remedy = found.code, found.remedy
    result.evidence = [*found.evidence, *error.evidence]
    result.candidates = []
    return result
