"""The global options, accepted in any place before `--` as getopt(3) has it.

bpftool's scripts write `bpftool prog show -j` as often as `bpftool -j prog show`. So the options
are taken out of the command line before the commands see it, and no command may use their letters.
"""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.plain_typing import NamedTuple

from .context import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class GlobalOption(NamedTuple):
    """One option: its letter, its long name, and the fields of Context that it sets."""

    letter: str
    name: str
    sets: tuple[str, ...]
    help: str

    @property
    def flags(self) -> tuple[str, str]:
        """The option as it is typed, short and long."""
        return f"-{self.letter}", f"--{self.name}"


OPTIONS = (
    GlobalOption("j", "json", ("json",), "Write JSON, compact."),
    GlobalOption("p", "pretty", ("json", "pretty"), "Write JSON, indented."),
    GlobalOption("d", "debug", ("debug",), "Show bpf(2) calls, whole logs and all details."),
    GlobalOption("V", "version", ("version",), "Show the version and stop."),
    GlobalOption(
        "f", "bpffs", ("bpffs",), "Show pinned paths (always done; for bpftool's scripts)."
    ),
    GlobalOption("n", "nomount", ("no_mount",), "Never mount a bpffs."),
)
FORMATS: dict[str, tuple[str, ...]] = {
    "table": (),
    "wide": ("wide",),
    "json": ("json",),
    "jsonl": ("json", "json_lines"),
}
FORMAT_FLAGS = ("-o", "--output")
FORMAT_HELP = "How to write: table, wide (every column), json, or jsonl (JSON, one object a line)."

_BY_LONG = {f"--{option.name}": option for option in OPTIONS}
_BY_LETTER = {option.letter: option for option in OPTIONS}


def take_options(words: Sequence[str]) -> tuple[Context, list[str], UsageError | None]:
    """Split a command line into the global options and the words that remain.

    `--` and what follows it is left alone. A wrong option is returned, not raised, so that the
    caller knows by the other ones how to report it.
    """
    chosen: set[str] = set()
    rest: list[str] = []
    wrong: UsageError | None = None
    left = iter(words)
    for word in left:
        if word == "--":
            rest += [word, *left]
            break
        taken = _read(word, left)
        if taken is None:
            rest.append(word)
        elif isinstance(taken, UsageError):
            wrong = wrong or taken
        else:
            chosen.update(taken)
    return Context(**dict.fromkeys(chosen, True)), rest, wrong


def _read(word: str, following: Iterator[str]) -> set[str] | UsageError | None:
    """Return the fields that a word sets, an error for a wrong value, None for another word."""
    if word in _BY_LONG:
        return set(_BY_LONG[word].sets)
    if word == "--output" or word.startswith("--output="):
        return _format(word[9:] if "=" in word else next(following, ""))
    if word[:1] != "-" or word[:2] == "--":
        return None
    letters, has_format, value = word[1:].partition("o")
    if not (letters or has_format) or not _BY_LETTER.keys() >= set(letters):
        return None
    fields = {field for letter in letters for field in _BY_LETTER[letter].sets}
    if not has_format:
        return fields
    chosen = _format(value or next(following, ""))
    return chosen if isinstance(chosen, UsageError) else fields | chosen


def _format(value: str) -> set[str] | UsageError:
    """Return the fields that an output format sets."""
    if value in FORMATS:
        return set(FORMATS[value])
    return UsageError(
        f'"{value}" is no output format' if value else "option -o needs an output format",
        remedy="one of " + ", ".join(FORMATS),
    )
