"""The exit statuses."""

from __future__ import annotations

from bpfctl.plain_enum import IntEnum


class Status(IntEnum):
    """The exit statuses of bpfctl; none is ever a leftover errno."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_PERMITTED = 4
    NOT_SUPPORTED = 5
    REJECTED = 6
    INTERRUPTED = 130
