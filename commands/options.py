"""The global options, accepted in any place before `--` as getopt(3) has it.

bpftool's scripts write `bpftool prog show -j` as often as `bpftool -j prog show`. So the options
are taken out of the command line before the commands see it, and no command may use their letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bpfctl.errors import UsageError

from .context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class GlobalOption:
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

_BY_FLAG = {flag: option for option in OPTIONS for flag in option.flags}
_LETTERS = frozenset(option.letter for option in OPTIONS)


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
        elif (value := _format_value(word, left)) is not None:
            if value not in FORMATS:
                wrong = wrong or _wrong_format(value)
            chosen.update(FORMATS.get(value, ()))
        elif flags := _options_in(word):
            chosen.update(field for option in flags for field in option.sets)
        else:
            rest.append(word)
    return Context(**dict.fromkeys(chosen, True)), rest, wrong


def _options_in(word: str) -> list[GlobalOption]:
    """Return the options a word stands for: `--json`, `-j`, or several letters as in `-jp`."""
    if word in _BY_FLAG:
        return [_BY_FLAG[word]]
    if word[:1] == "-" and word[1:] and _LETTERS.issuperset(word[1:]):
        return [_BY_FLAG[f"-{letter}"] for letter in word[1:]]
    return []


def _format_value(word: str, following: Iterator[str]) -> str | None:
    """Return the value of -o FORMAT, or None where the word is something else."""
    if word in FORMAT_FLAGS:
        return next(following, "")
    if word.startswith("--output="):
        return word.removeprefix("--output=")
    return None


def _wrong_format(value: str) -> UsageError:
    return UsageError(
        f'"{value}" is no output format' if value else "option -o needs an output format",
        remedy="one of " + ", ".join(FORMATS),
    )
