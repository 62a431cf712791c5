"""The words behind `feature probe`: bpftool's."""

from __future__ import annotations

import re

from bpfctl.errors import UsageError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

GRAMMAR = "[kernel | dev NAME] [full] [macros [prefix PREFIX]] [unprivileged]"
_PREFIX = re.compile("[A-Za-z_][A-Za-z0-9_]*")


@plain
class ProbeWords:
    """What is asked for: of the kernel, or of a `device`. `prefix` begins each macro's name."""

    full: bool = False
    macros: bool = False
    unprivileged: bool = False
    prefix: str = ""
    device: str = ""


def parse(words: Sequence[str]) -> ProbeWords:
    """Read the words; each may stand there once, `kernel` and `dev` only first.

    Raises: UsageError.
    """
    rest, found, prefix, device = list(words), [], "", ""
    if rest[:1] == ["dev"]:
        if not rest[1:2] or not rest[1]:
            raise UsageError('"dev" wants the name of an interface', remedy=f"expected {GRAMMAR}")
        device, rest = rest[1], rest[2:]
    elif rest[:1] == ["kernel"]:
        rest.pop(0)
    while rest:
        word = rest.pop(0)
        if word == "prefix" and "macros" in found and not prefix:
            prefix = _prefix(rest)
        elif word in ("full", "macros", "unprivileged") and word not in found:
            found.append(word)
        else:
            raise UsageError(f'"{word}" is not expected there', remedy=f"expected {GRAMMAR}")
    return ProbeWords("full" in found, "macros" in found, "unprivileged" in found, prefix, device)


def _prefix(rest: list[str]) -> str:
    """Take the prefix: what a name in C can begin with."""
    word = rest.pop(0) if rest else ""
    if not _PREFIX.fullmatch(word):
        begins = "letters, digits and _, no digit first"
        raise UsageError(f'"{word}" cannot begin the name of a macro', remedy=f"expected {begins}")
    return word
