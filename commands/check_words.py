"""What `check` found, as JSON, as a list for one kernel, or as a table of many kernels."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bpfctl.check.finding import Finding, Report, State
from bpfctl.plain import plain

from .clean import clean
from .output import elements, json_array, write_text
from .render import Column, table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def show(out: Context, reports: Sequence[Report]) -> None:
    """Write reports; those of one object are beside one another."""
    if out.json:
        with json_array(out) as put:
            put(elements(out, [one.to_json() for one in reports]))
        return
    blocks = []
    for _, group in groupby(reports, key=lambda one: one.path):
        found = list(group)
        blocks.append(_one_kernel(out, found[0]) if len(found) == 1 else _kernels(out, found))
    write_text("\n".join(blocks))


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
