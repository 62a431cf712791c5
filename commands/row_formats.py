"""Rows as CSV or Markdown, for spreadsheets and for what a CI run shows."""

from __future__ import annotations

from bpfctl.errors import UsageError

from .clean import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Final

FORMATS: Final = ("table", "csv", "markdown")


def check_format(name: str) -> None:
    """Refuse any other word. Raises: UsageError."""
    if name not in FORMATS:
        raise UsageError(f'"{name}" is no format', remedy=f"one of {', '.join(FORMATS)}")


def written(name: str, rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> str:
    """Return rows as CSV or Markdown, with a line of the columns' names first."""
    write: Callable[[Sequence[str], list[list[str]]], str] = _csv if name == "csv" else _markdown
    return write(columns, [[_text(row[column]) for column in columns] for row in rows])


def _csv(columns: Sequence[str], rows: list[list[str]]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _markdown(columns: Sequence[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_escaped(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|")


def _text(value: object) -> str:
    if value is None:
        return ""
    return clean(" ".join(value) if isinstance(value, list | tuple) else str(value))
