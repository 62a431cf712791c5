"""A report about a kernel with a line for each answer: to be searched and compared."""

from __future__ import annotations

from bpfctl.features.verdict import Answer
from bpfctl.plain import plain

from .render import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bpfctl.features.facts import Facts
    from bpfctl.features.helpers import HelperSet
    from bpfctl.features.report import FeatureReport

    from .context import Context

WORDS = {Answer.AVAILABLE: "yes", Answer.NOT_AVAILABLE: "no", Answer.UNKNOWN: "cannot tell"}


@plain
class FeatureRow:
    """One line: what was asked, and the answer."""

    group: str
    name: str
    answer: str
    why: str = ""
    since: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the fields; a report as JSON is not made of rows."""
        return {"group": self.group, "name": self.name, "answer": self.answer, "why": self.why}


COLUMNS: tuple[Column[FeatureRow], ...] = (
    Column("GROUP", lambda row: row.group),
    Column("NAME", lambda row: row.name),
    Column("ANSWER", lambda row: row.answer),
    Column("WHY", lambda row: row.why, priority=1),
    Column("SINCE", lambda row: row.since, priority=2),
)


def show_table(out: Context, report: FeatureReport) -> None:
    """Write the table."""
    render_rows(out, rows(report))


def render_rows(out: Context, found: Iterable[FeatureRow]) -> None:
    """Write rows as a table."""
    render(out, found, COLUMNS)


def rows(report: FeatureReport) -> Iterator[FeatureRow]:
    """Yield a row for each fact, verdict and helper. Helpers that cannot be called have none."""
    yield from _facts(report.facts)
    for group, name, verdict in report.verdicts():
        yield FeatureRow(group, name, WORDS[verdict.answer], verdict.reason, verdict.since)
    for kind, found in sorted((report.helpers or {}).items()):
        yield from _helpers(kind.name.lower(), found)


def _facts(facts: Facts) -> Iterator[FeatureRow]:
    yield FeatureRow("kernel", "release", facts.release)
    yield FeatureRow("kernel", "machine", facts.machine)
    yield FeatureRow("kernel", "lockdown", facts.lockdown or "unknown")
    yield FeatureRow("kernel", "lsms", "unknown" if facts.lsms is None else ",".join(facts.lsms))
    for name, value in facts.sysctls.items():
        yield FeatureRow("sysctl", name, "unreadable" if value is None else str(value))
    missing = "unknown" if facts.config is None else "not set"
    for name, text in facts.options().items():
        answer = missing if text is None else text if text in ("y", "m") else "set"
        yield FeatureRow("config", name, answer, text or "" if answer == "set" else "")


def _helpers(kind: str, found: HelperSet) -> Iterator[FeatureRow]:
    if not found.verdict.available:
        yield FeatureRow(
            "helper", f"{kind} (all)", WORDS[found.verdict.answer], found.verdict.reason
        )
    for name, answer in found.answers.items():
        if answer is not Answer.NOT_AVAILABLE:
            yield FeatureRow("helper", f"{kind} {name}", WORDS[answer])
