"""What `check` found, as JSON, as a list for one kernel, or as a table of many kernels."""

from __future__ import annotations

from itertools import groupby

from bpfctl.check.finding import Finding, Report, State
from bpfctl.plain import plain

from .clean import clean
from .output import elements, json_array, write_text
from .render import Column, table
from .row_formats import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .check_verify import Verification
    from .context import Context

_VERDICTS = {
    State.FOUND: "nothing that it needs is missing",
    State.UNKNOWN: "nothing is known to be missing, but not all could be told",
    State.MISSING: "would fail",
}
_CELLS = {
    State.FOUND: "ok",
    State.GUARDED: "guarded",
    State.UNKNOWN: "?",
    State.MISSING: "missing",
}


def _state(one: Finding) -> str:
    attach = one.state is State.MISSING and one.attach
    return "missing (to attach)" if attach else one.state.value


COLUMNS: tuple[Column[Finding], ...] = (
    Column("KIND", lambda one: one.kind.value),
    Column("NAME", lambda one: one.name),
    Column("STATE", _state),
    Column("WHY", lambda one: one.detail),
    Column("WHERE", lambda one: one.where, priority=1),
    Column("PROGRAMS", lambda one: one.programs, wide=True),
)


@plain
class Row:
    """A thing that an object needs, and what each kernel has of it."""

    kind: str
    name: str
    cells: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The fields; JSON has whole reports instead."""
        return {"kind": self.kind, "name": self.name, "cells": list(self.cells)}


def show(out: Context, reports: Sequence[Report], form: str, verified: Verification | None) -> None:
    """Write reports, those of one object beside one another, and what the verifier said."""
    if out.json:
        with json_array(out) as put:
            put(elements(out, [_as_json(one, verified) for one in reports]))
    elif form != "table":
        write_text(verified.rows(form) if verified else _rows_of(reports, form))
    else:
        write_text("\n".join([*_blocks(out, reports), *([verified.text(out)] if verified else [])]))


def _as_json(report: Report, verified: Verification | None) -> dict[str, object]:
    more = verified.to_json(report.path) if verified else {}
    return {**report.to_json(), **more}


def _rows_of(reports: Sequence[Report], form: str) -> str:
    """A row for each finding on each kernel."""
    columns = ("object", "kernel", "kind", "name", "state", "fails", "detail", "where", "programs")
    rows = [
        {"object": report.path, "kernel": report.kernel, **one.to_json()}
        for report in reports
        for one in report.findings
    ]
    return written(form, rows, columns)


def _blocks(out: Context, reports: Sequence[Report]) -> Iterator[str]:
    for _, group in groupby(reports, key=lambda one: one.path):
        found = list(group)
        yield _one_kernel(out, found[0]) if len(found) == 1 else _kernels(out, found)


def _one_kernel(out: Context, report: Report) -> str:
    shown = [one for one in report.findings if out.wide or one.state is not State.FOUND]
    where = f"{report.kernel} ({report.age})" if report.age else report.kernel
    head = f"{report.path} on {where}: {_VERDICTS[report.verdict]}"
    text = f"{clean(head)}\n  {_counts(report)}\n"
    return text + (table(out, shown, COLUMNS) if shown else "")


def _counts(report: Report) -> str:
    """How many things there are of each state."""
    numbers = ((len(report.of(state)), state.value) for state in State)
    return ", ".join(f"{number} {name}" for number, name in numbers if number)


def _kernels(out: Context, reports: Sequence[Report]) -> str:
    """A table of what not all kernels have, and why it is missing where it is."""
    bad = sum(one.verdict is State.MISSING for one in reports)
    head = f"{reports[0].path}: would fail on {bad} of {len(reports)} kernels"
    rows = [row for row in _rows(reports) if out.wide or set(row.cells) != {"ok"}]
    rows.append(Row("", "verdict", tuple(_verdict(one) for one in reports)))
    columns: list[Column[Row]] = [
        Column("KIND", lambda row: row.kind),
        Column("NAME", lambda row: row.name),
    ]
    for number, report in enumerate(reports):
        columns.append(Column(clean(report.kernel), _cell(number)))
    return f"{clean(head)}\n{table(out, rows, columns)}{_reasons(reports)}"


def _cell(number: int) -> Callable[[Row], object]:
    return lambda row: row.cells[number]


def _verdict(report: Report) -> str:
    words = {State.MISSING: "fails", State.UNKNOWN: "?", State.FOUND: "ok"}
    return words[report.verdict]


def _rows(reports: Sequence[Report]) -> list[Row]:
    by_kernel = [{(one.kind, one.name): one.state for one in report.findings} for report in reports]
    keys = list(dict.fromkeys(key for found in by_kernel for key in found))
    return [
        Row(
            kind.value,
            name,
            tuple(
                _CELLS[found[kind, name]] if (kind, name) in found else "-" for found in by_kernel
            ),
        )
        for kind, name in keys
    ]


def _reasons(reports: Sequence[Report]) -> str:
    """One line for each thing that is missing for the same reason, with the kernels."""
    reasons: dict[str, list[str]] = {}
    for report in reports:
        for one in report.of(State.MISSING):
            where = f" ({one.where})" if one.where else ""
            words = f"{one.kind.value} {one.name}: {one.detail}{where}"
            reasons.setdefault(words, []).append(report.kernel)
    lines = (f"  {', '.join(names)}: {words}" for words, names in reasons.items())
    return "".join(f"{clean(line)}\n" for line in lines)
