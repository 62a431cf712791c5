"""`bpfctl explain`: what a code of an error means, and what to do."""

from __future__ import annotations

from bpfctl.plain import plain

from .declare import Argument, Noun
from .output import write_json, write_text
from .render import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    from bpfctl.explain.catalogue.entry import Entry

    from .declare import Call

app = Noun()
_WIDTH = 80


@plain
class CodeRecord:
    """One entry of the catalogue."""

    entry: Entry

    def to_json(self) -> dict[str, object]:
        """Return all of it, texts as one line a paragraph."""
        entry = self.entry
        return {
            "code": entry.code,
            "title": entry.title,
            "meaning": entry.meaning,
            "confirmed": entry.confirmed,
            "remedy": entry.remedy,
            "kernels": entry.kernels,
        }


@app.command()
def explain(
    call: Call,
    code: Annotated[
        str | None,
        Argument(metavar="[CODE]", help="A code that an error named; without: list all."),
    ] = None,
) -> None:
    """Say what a code of an error means, how bpfctl found out, and what to do.

    Without a code: list them all. Fails with exit status 3 where there is no such code.
    """
    from bpfctl.explain.catalogue.index import entries, find

    out = call.out
    if code is None:
        columns = [
            Column[CodeRecord]("CODE", lambda one: one.entry.code),
            Column[CodeRecord]("MEANS", lambda one: one.entry.title, priority=1),
        ]
        render(out, [CodeRecord(entry) for entry in entries().values()], columns)
        return
    entry = find(code)
    if out.json:
        write_json(out, CodeRecord(entry).to_json())
    else:
        write_text(text_of(entry))


def text_of(entry: Entry) -> str:
    """Return the long form of an entry for people."""
    blocks = [f"{entry.code}: {entry.title}\n", _paragraphs(entry.meaning)]
    for heading, words in (
        ("How bpfctl knows", entry.confirmed),
        ("What to do", entry.remedy),
        ("Kernels", entry.kernels),
    ):
        blocks.append(f"{heading}:\n{_paragraphs(words, '  ')}")
    return "\n".join(blocks)


def _paragraphs(words: str, indent: str = "") -> str:
    from textwrap import fill

    made = [
        fill(part, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
        for part in words.split("\n\n")
    ]
    return "\n\n".join(made) + "\n"
