"""The report that Linux 7.3 puts behind its log, in parts. Pure.

"Verification failed: CATEGORY: PROBLEM", then "Reason:", "At:", "Causal path:" and "Suggestion:",
each with indented text behind it: kernel/bpf/diagnostics.c.
"""

from __future__ import annotations

import re

from bpfctl.loader.verifier_log import REPORT
from bpfctl.rejected import KernelReport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_STATISTICS: Final = re.compile(
    r"^(?:processed \d+ insns|verification time|insns processed)", re.MULTILINE
)
_LAST: Final = re.compile(r"^Suggestion:\n(?: .*\n?)+", re.MULTILINE)
_SECTION: Final = re.compile(r"^([A-Z][A-Za-z ]+):$", re.MULTILINE)


def find_report(log: str) -> KernelReport | None:
    """The last report of a log; None when the kernel writes none."""
    start = log.rfind("\n" + REPORT)
    if start < 0 and not log.startswith(REPORT):
        return None
    text = log[start + 1 :]
    end = _STATISTICS.search(text)
    text = text[: end.start() if end else len(text)]
    last = _LAST.search(text)  # what comes behind it is log again
    text = text[: last.end() if last else len(text)].strip("\n")
    return KernelReport(
        text,
        text.split("\n", 1)[0].removeprefix(REPORT).strip(),
        _section(text, "Reason"),
        _section(text, "Suggestion"),
    )


def _section(text: str, title: str) -> str:
    """The text of one section, its lines put together again; the kernel breaks them at 100."""
    for found in _SECTION.finditer(text):
        if found[1] == title:
            return " ".join(text[found.end() :].lstrip("\n").split("\n\n", 1)[0].split())
    return ""
