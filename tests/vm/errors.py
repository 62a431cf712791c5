"""What stops the harness; the tests inside a machine speak for themselves."""

from __future__ import annotations


class VmError(Exception):
    """Something this harness needs is missing or wrong; the text says what to do about it."""
