"""Which source lines the verifier spent itself on. Pure."""

from __future__ import annotations

from collections import Counter

from bpfctl.loader.verifier_log import INSN
from bpfctl.rejected import HotLine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.rejected import ProgramCode, SourceLine


def hottest(log: str, code: ProgramCode, count: int = 3) -> tuple[HotLine, ...]:
    """The `count` source lines whose instructions are most often in the log, most first."""
    if not code.lines:
        return ()
    walked = Counter(int(found[1]) for found in INSN.finditer(log))
    lines: Counter[tuple[str, int]] = Counter()
    texts: dict[tuple[str, int], SourceLine] = {}
    for insn, times in walked.items():
        source = code.source(insn)
        if source is not None:
            lines[source.file, source.line] += times
            texts.setdefault((source.file, source.line), source)
    total = max(1, walked.total())
    return tuple(
        HotLine(times, times / total, texts[key]) for key, times in lines.most_common(count)
    )
