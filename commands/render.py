"""Records to JSON, a table, or lines. Knows nothing about BPF."""

from __future__ import annotations

import sys
from contextlib import closing

from bpfctl.plain import plain
from bpfctl.plain_typing import Generic, Protocol, TypeVar

from .clean import clean
from .output import elements, json_array, say, write_json, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from .context import Context

__all__ = ["Column", "Record", "clean", "render", "render_one", "stream"]


class Record(Protocol):
    """What a command shows: complete, and ignorant of its format."""

    def to_json(self) -> Mapping[str, object]:
        """Return the fields by bpftool's keys where it has them."""


R = TypeVar("R", bound=Record)
B = TypeVar("B")


@plain
class Column(Generic[R]):
    """A column of a table.

    On a terminal too narrow for all columns the one with the highest `priority` goes first;
    those of priority 0 stay. Numbers are set to the `right`. `wide` columns are for `-o wide`.
    """

    header: str
    value: Callable[[R], object]
    priority: int = 0
    right: bool = False
    wide: bool = False


def render(
    out: Context,
    records: Iterable[R],
    columns: Sequence[Column[R]],
    *,
    notes: Iterable[str] = (),
) -> None:
    """Write records as a JSON array, or as a table. No records: `[]`, or nothing.

    `notes` are lines for people, shown on standard error below a table and in JSON mode too.
    """
    whole = list(records)  # complete before the first byte
    if out.json:
        write = [record.to_json() for record in whole]
        with json_array(out) as put:
            put(elements(out, write))
    elif whole:
        write_text(table(out, whole, columns))
    for note in notes:
        say(clean(note))


def render_one(
    out: Context,
    record: Record,
    fields: Iterable[tuple[str, object]] | None = None,
    *,
    notes: Iterable[str] = (),
) -> None:
    """Write one record: as a JSON object, or a field a line; `fields` default to those of JSON.

    Fields without a value (None) are left out of the lines.
    """
    if out.json:
        write_json(out, record.to_json())
    else:
        shown = record.to_json().items() if fields is None else fields
        rows = [(clean(name), _text(value)) for name, value in shown if value is not None]
        width = max((len(name) for name, _ in rows), default=0)
        write_text("".join(f"{name:<{width}}  {text}".rstrip() + "\n" for name, text in rows))
    for note in notes:
        say(clean(note))


def stream(
    out: Context,
    batches: Generator[B, None, None],
    *,
    as_json: Callable[[B], str],
    as_text: Callable[[B], str],
) -> None:
    """Write a long dump batch by batch, in bounded memory.

    `as_json` makes the elements of a JSON array (see `output.elements`), `as_text` whole lines
    with their line ends. The generator is closed on errors too.
    """
    with closing(batches):
        if out.json:
            with json_array(out) as put:
                for batch in batches:
                    put(as_json(batch))
        else:
            for batch in batches:
                write_text(as_text(batch))


def table(out: Context, records: Sequence[R], columns: Sequence[Column[R]]) -> str:
    """Return records as a table: to the width of the terminal, or whole when it goes elsewhere."""
    shown = [column for column in columns if out.wide or not column.wide]
    cells = [[_text(column.value(record)) for record in records] for column in shown]
    limit = None if out.wide else terminal_width()
    kept = fitting(
        shown, [_width(c.header, text) for c, text in zip(shown, cells, strict=True)], limit
    )
    hidden = [shown[i].header for i in range(len(shown)) if i not in kept]
    if hidden:
        say(f"not shown here: {', '.join(hidden)} (-o wide shows all)")
    return _layout([shown[i] for i in kept], [cells[i] for i in kept])


def fitting(columns: Sequence[Column[R]], widths: Sequence[int], limit: int | None) -> list[int]:
    """Return the indices of the columns that fit, dropping the least important first.

    Two blanks stand between columns. Rows are never dropped: columns of priority 0 stay
    even where they do not fit.
    """
    kept = list(range(len(columns)))
    while limit is not None and sum(widths[i] + 2 for i in kept) - 2 > limit:
        last = max(kept, key=lambda i: (columns[i].priority, i))
        if columns[last].priority == 0:
            break
        kept.remove(last)
    return kept


def terminal_width() -> int | None:
    """Return the columns of the terminal that standard output is, None when it is none."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns


def _layout(columns: Sequence[Column[R]], cells: Sequence[Sequence[str]]) -> str:
    from tabulate import tabulate

    rows = list(zip(*cells, strict=True))
    text = tabulate(
        rows,
        headers=[column.header for column in columns],
        tablefmt="plain",
        colalign=["right" if column.right else "left" for column in columns],
        disable_numparse=True,
    )
    return "".join(line.rstrip() + "\n" for line in text.split("\n"))


def _width(header: str, cells: Iterable[str]) -> int:
    return max(len(header), *(len(cell) for cell in cells))


def _text(value: object) -> str:
    """Word one value: a dash for nothing, lists by commas."""
    if value is None or value in ("", (), []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return clean(str(value))
