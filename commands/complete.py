"""What the shells ask when somebody presses Tab behind `id` or `name`: one answer a line.

It never fails: whoever may not list objects gets no suggestions.
"""

from __future__ import annotations

from bpfctl.errors import BpfctlError

from .declare import Argument, Noun
from .output import write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Annotated

app = Noun()


@app.command("__complete")
def complete(
    kind: Annotated[str, Argument(metavar="KIND", help="prog, map or link.")],
    field: Annotated[str, Argument(metavar="FIELD", help="id, name or tag.")],
) -> None:
    """List ids, names or tags of loaded objects for the completion of a shell."""
    try:
        known = sorted(set(_values(kind, field)), key=lambda text: (len(text), text))
    except BpfctlError:
        return
    write_text("".join(f"{text}\n" for text in known))


def _values(kind: str, field: str) -> Iterator[str]:
    """Yield the values that can be typed as they are: no blanks, nothing a shell would read."""
    for info in _objects(kind):
        text = str(getattr(info, field, ""))
        if text and not set(text) - _PLAIN:
            yield text


def _objects(kind: str) -> Iterable[object]:
    """Yield what is loaded of a kind; only what that kind needs is imported."""
    if kind == "prog":
        from bpfctl.objects.prog import programs

        return programs()
    if kind == "map":
        from bpfctl.objects.map import maps

        return maps()
    if kind == "link":
        from bpfctl.objects.link import links

        return links()
    return ()


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
