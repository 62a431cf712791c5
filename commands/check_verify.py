"""What the verifier made of objects, beside what was checked without it."""

from __future__ import annotations

from bpfctl.check.regress import COMPARED, read_baseline, regressions
from bpfctl.check.verify import FAILURE, NUMBERS, Verified, total, verify
from bpfctl.errors import UsageError

from .clean import clean
from .render import Column, table
from .row_formats import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bpfctl.check.check import Subject
    from bpfctl.check.kernels import Target
    from bpfctl.check.regress import Regression

    from .context import Context

COLUMNS: tuple[Column[Verified], ...] = (
    Column("PROGRAM", lambda one: one.program),
    Column("VERDICT", lambda one: one.verdict),
    Column("INSNS", lambda one: one.insns, right=True),
    Column("STATES", lambda one: one.states, right=True),
    Column("PEAK", lambda one: one.peak_states, right=True, priority=2),
    Column("STACK", lambda one: one.stack_bytes, right=True, priority=1),
    Column("TIME US", lambda one: one.duration_us, right=True, priority=3),
    Column("WHY", lambda one: one.reason, priority=4),
    Column("MAX STATES", lambda one: one.max_states_per_insn, right=True, wide=True),
    Column("MARK READ", lambda one: one.mark_read, right=True, wide=True),
)


class Verification:
    """The verifier's verdicts on several objects, and what got worse since a baseline."""

    def __init__(
        self, subjects: Sequence[Subject], target: Target, baseline: str | None, percent: float
    ) -> None:
        base = read_baseline(baseline) if baseline else {}
        self.found = {
            subject.spec.path: list(verify(subject.spec, subject.options, target.types))
            for subject in subjects
        }
        self.all = [one for found in self.found.values() for one in found]
        self.worse: list[Regression] = list(regressions(self.all, base, percent))
        self.percent = percent

    @property
    def failed(self) -> bool:
        """Whether a program was refused, or got worse."""
        return bool(self.worse) or any(one.verdict == FAILURE for one in self.all)

    def to_json(self, path: str) -> dict[str, object]:
        """What to add to the report of one object."""
        found = self.found[path]
        return {
            "verified": [one.to_json() for one in found],
            "total": total(found).to_json(),
            "regressions": [one.to_json() for one in self.worse if one.path == path],
        }

    def rows(self, form: str) -> str:
        """All programs as CSV or Markdown; a baseline has no totals in it."""
        shown = self.all if form == "csv" else [*self.all, total(self.all)]
        columns = ("object", "program", "verdict", *NUMBERS, "reason")
        text = written(form, (one.to_json() for one in shown), columns)
        worse = "".join(f"- {line}\n" for line in self.words())
        return text if form == "csv" or not worse else f"{text}\n{worse}"

    def text(self, out: Context) -> str:
        """A table of each object's programs, and what got worse."""
        blocks = [
            f"{clean(path)}: the verifier takes {total(found).verdict} programs\n"
            + table(out, [*found, total(found)], COLUMNS)
            for path, found in self.found.items()
        ]
        worse = "".join(f"  {line}\n" for line in self.words())
        return "\n".join(blocks) + (f"worse than the baseline:\n{worse}" if worse else "")

    def words(self) -> Iterator[str]:
        """Yield a line for each thing that got worse."""
        for one in self.worse:
            words = f"{one.program}: {one.what} was {one.before}, is {one.now}"
            allowed = f" (more than {self.percent:g}%)" if one.what in COMPARED else ""
            yield clean(words + allowed)


def percent_of(text: str) -> float:
    """Read "5%" or "5". Raises: UsageError."""
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1e6:
        raise UsageError(f'"{text}" is no percentage: expected one such as 5%')
    return number
