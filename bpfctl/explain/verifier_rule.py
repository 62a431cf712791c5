"""What a rule about one message of the verifier is made of. Pure."""

from __future__ import annotations

import re
from functools import cache

from bpfctl.plain_typing import NamedTuple


class Rule(NamedTuple):
    """A message of the verifier, what it means, and what to change.

    `pattern` matches the beginning of the line, in the words of all kernels from 5.10 on. Its
    groups have fixed names: `reg` (or `at`) is the register concerned, `arg` the argument counted
    from 1 and `arg0` from 0, `insn` the instruction where the log prints none, `origin` that where
    a resource came from; all may be named in `headline` and `change`. `{argument}` is the number
    of the argument, `{var}` in `change` the C variable that holds the value, as far as the source
    line of its origin shows. Of several messages the one with the highest `rank` says most.
    """

    code: str
    pattern: str
    headline: str
    change: str
    rank: int = 0


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled when it is first tried."""
    return re.compile(pattern)
