"""Words somebody may have meant. Nothing is ever matched by a prefix or by likeness: only named."""

from __future__ import annotations

from bpfctl.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like this one, or None."""
    from difflib import get_close_matches

    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return close[0]
    begins = [other for other in known if word and other.startswith(word)]
    return begins[0] if len(begins) == 1 else None


def unknown_command(path: str, word: str, known: Iterable[str]) -> UsageError:
    """Return the error for a word that is no command below `path` ("bpfctl prog")."""
    known = list(known)
    words = [*path.split()[1:], word]
    near = nearest(word, known)
    remedy = f"one of {', '.join(known)}"
    if near:
        remedy = f'did you mean "{" ".join([*words[:-1], near])}"? all: {", ".join(known)}'
    return UsageError(f'unknown command "{" ".join(words)}"', code="unknown-command", remedy=remedy)


def where(path: str) -> str:
    """Return the command of a path without the program's own name, as the front of a message."""
    _, _, words = path.partition(" ")
    return f"{words}: " if words else ""


def operation(ctx: Any) -> str | None:
    """Return a command in machine words ("prog-load"); None where there is none yet."""
    return "-".join(ctx.command_path.split()[1:]) or None
