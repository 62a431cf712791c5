"""`bpfctl doctor`: what works on this machine, what does not, and what that costs."""

from __future__ import annotations

from .clean import clean
from .declare import Noun
from .output import write_json, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.features.doctor import Report
    from bpfctl.features.finding import Finding

    from .declare import Call

app = Noun("Say what works on this machine, what does not, and what that costs.")
_WIDTH = 100  # where there is no terminal to ask
_GROUP, _NAME, _STATE = 8, 14, 12


@app.command()
def doctor(call: Call) -> None:
    """Say what works on this machine, what does not, and what that costs.

    It reads capabilities, settings, security modules and mounts, and loads six small programs and
    makes a map to see whether they are taken; nothing is attached and nothing is left behind. Each
    part is `good`, `limited` (with what that costs), `bad` (nearly nothing works without it) or
    `cannot tell` (with the reason). Without capabilities it says what it cannot tell. The exit
    status is 0 whatever is found: the verdicts are in the output.
    """
    from bpfctl.features.doctor import examine
    from bpfctl.features.machine import read_machine

    out, report = call.out, examine(read_machine())
    if out.json:
        write_json(out, report.to_json())
    else:
        write_text("".join(f"{line}\n" for line in lines(report)))


def lines(report: Report, width: int = 0) -> Iterator[str]:
    """Yield the summary, then each finding with what it costs and what to do."""
    from bpfctl.features.finding import State

    from .feature_text import separator
    from .render import terminal_width

    between, width = separator(), width or terminal_width() or _WIDTH
    counts = [f"{report.count(state)} {state.words}" for state in State if report.count(state)]
    yield clean(between.join([f"kernel {report.release} {report.machine}", *counts]))
    for group, findings in report.findings.items():
        label = group
        for one in findings:
            yield from _block(label, one, width)
            label = ""


def _block(label: str, one: Finding, width: int) -> Iterator[str]:
    """Yield a finding; what it costs and the remedy stand below."""
    from .feature_text import wrapped

    head = f"{label:<{_GROUP}}{one.name:<{_NAME}}{one.state.words:<{_STATE}}"
    indent = " " * len(head)
    remedy = f"-> {one.remedy}" if one.remedy else ""
    for text in (one.seen, *one.cost.split("\n"), remedy):
        if text:
            for line in wrapped(clean(text), max(width - len(indent), _STATE)):
                yield f"{head}{line}"
                head = indent
