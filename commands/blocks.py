"""Blocks of an error message: a label, and lines below one another behind it."""

from __future__ import annotations

from .clean import clean_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

LABEL_WIDTH: Final = 10


def labelled(label: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, the label before the first."""
    for text in lines:
        for line in clean_lines(text).split("\n"):
            yield f"  {label:<{LABEL_WIDTH}} {line}".rstrip()
            label = ""
