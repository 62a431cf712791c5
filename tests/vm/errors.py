"""What stops the harness; the tests inside a machine speak for themselves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Found = TypeVar("Found")

ATTEMPTS, PAUSE_S = 4, 5.0


class VmError(Exception):
    """Something this harness needs is missing or wrong; the text says what to do about it."""


class LastingError(VmError):
    """Something that stays wrong however often it is tried."""


def patiently(doing: str, action: Callable[[], Found]) -> Found:
    """Try again what a network or an archive made fail, after a pause that grows.

    Raises: VmError, that of the last attempt, or a LastingError at once.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return action()
        except LastingError:
            raise
        except VmError as err:
            print(f"tests.vm: attempt {attempt} to {doing} failed: {err}", flush=True)
            time.sleep(PAUSE_S * attempt)
    return action()
