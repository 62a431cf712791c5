"""Find in a verifier log where it stopped and what it objected to. Pure.

The log's last line is statistics, and registers are printed between the words that matter, so
neither the end nor any fixed place has the reason.
"""

from __future__ import annotations

import re
from typing import Final

_INSN: Final = re.compile(r"^(\d+): \([0-9a-f]{2}\) ")
_NAMED_INSN: Final = re.compile(r"\binsn (\d+)\b")
# What is no reason: source lines, register states, the walk, statistics.
_NOISE: Final = re.compile(
    r"^(?:;|\d+: |from \d+ to \d+|\s|R\d+(?:_\w+)?=|frame\d+:|caller:|callee:|returning from|"
    r"mark_precise:|propagating|func#\d+ @|Validating |Func#\d+|live regs|reg type unsupported|"
    r"cur state:|old state:|processed \d+ insns|verification time|stack depth|insns processed|"
    r"peak_states|total_states|arg#\d+ reference type\()"
)


def failing_insn(log: str) -> int | None:
    """The index of the instruction the verifier stopped at; None when the log does not say."""
    for line in reversed(log.splitlines()):
        match = _INSN.match(line)
        if match:
            return int(match[1])
    match = _NAMED_INSN.search(decisive_line(log))
    return int(match[1]) if match else None


def decisive_line(log: str) -> str:
    """The line that says why the program was refused, "" when there is none.

    It is the first one behind the last instruction that is neither state nor statistics.
    """
    lines = log.splitlines()
    last = max((i for i, line in enumerate(lines) if _INSN.match(line)), default=-1)
    for line in lines[last + 1 :]:
        if line and not _NOISE.match(line):
            return line.strip()
    return ""
