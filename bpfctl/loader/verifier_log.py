"""Find in a verifier log where it stopped and what it objected to. Pure.

The log's last line is statistics, registers are printed between the words that matter, and Linux
7.3 adds a report of its own behind them: neither the end nor any fixed place has the reason.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# What the verifier objects to comes after the last instruction; a log may be many MiB before.
TAIL_CHARS: Final = 256 * 1024
# The first words of the report that Linux 7.3 adds (kernel/bpf/diagnostics.c).
REPORT: Final = "Verification failed:"

INSN: Final = re.compile(r"^(\d+): \([0-9a-f]{2}\) ", re.MULTILINE)
_EFFECT: Final = re.compile(r"; (?:frame\d+: )?R\d+(?:_\w+)?=")
_NAMED_INSN: Final = re.compile(r"\b(?:at insn|from insn|insn|instruction) (\d+)\b")
# Instructions before that belong to another function, which was fine.
_NEW_FUNCTION: Final = re.compile(r"^Validating \S+\(\) func#\d+", re.MULTILINE)
# Before Linux 6.8 all it says of a global function's argument; elsewhere the line means nothing.
_UNSIZED: Final = re.compile(
    r"^Validating \w+\(\) func#\d+\.\.\.\n(arg#\d+ reference type\(.*)$", re.MULTILINE
)
# What is no reason: source lines, register states, the walk, statistics.
_NOISE: Final = re.compile(
    r"^(?:;|\d+: |from \d+ to \d+|\s|R\d+(?:_\w+)?=|frame\d+:|caller:|callee:|returning from|"
    r"to caller at|mark_precise:|last_idx \d|regs=|parent |propagating|frame \d+: propagating|"
    r"func#\d+ @|Validating |Func#\d+ .*(?:is safe|is global)|live regs|reg type unsupported|"
    r"Live regs|cur state:|old state:|processed \d+ insns|verification time|stack depth|"
    r"insns processed|peak_states|total_states|arg#\d+ reference type\(|arg#\d+ type is not|"
    r"Unrecognized arg#\d+ type)"
)


def failing_insn(log: str) -> int | None:
    """The index of the instruction the verifier stopped at; None when the log does not say."""
    tail = log[-TAIL_CHARS:]
    last, function = _last(INSN, tail), _last(_NEW_FUNCTION, tail)
    if last and (function is None or function.start() < last.start()):
        return int(last[1])
    match = _NAMED_INSN.search(decisive_line(log))
    return int(match[1]) if match else None


def lacks_states(log: str) -> bool:
    """Whether a log has instructions without what they did to registers.

    So it is before Linux 5.18, unless level 2 is asked for.
    """
    tail = log[-TAIL_CHARS:]
    return INSN.search(tail) is not None and _EFFECT.search(tail) is None


def decisive_line(log: str) -> str:
    """The line that says why the program was refused, "" when there is none."""
    return next(iter(objections(log)), "")


def objections(log: str) -> list[str]:
    """The lines behind the last instruction that are neither state nor statistics.

    The first is the verifier's objection; some of its checks add a second that says more.
    """
    tail = log[-TAIL_CHARS:]
    last = _last(INSN, tail)
    lines = tail[last.start() if last else 0 :].split("\n")[1 if last else 0 :]
    found = []
    for line in lines:
        if line.startswith(REPORT):
            break
        if line and not _NOISE.match(line):
            found.append(line.strip())
    return found or _UNSIZED.findall(tail[last.end() if last else 0 :])[-1:]


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007 - the last one is what we want
        pass
    return found
