# ruff: noqa: INP001 - a script, in no package
"""Write the completions of bash, zsh and fish from the application.

    python completions/generate.py            # writes the files beside this one
    python completions/generate.py --check    # fails when they are stale

Each file is a hand-written part (`parts/`) around tables made here. The tables say what may come
at each place: `@file`, `@prog`, `@map` and `@link` stand for what only the moment knows.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bpfctl.commands.link_forms import FORMS
from bpfctl.commands.main import build
from bpfctl.commands.net_words import PLACE_WORDS, TYPES
from bpfctl.commands.options import FORMAT_FLAGS, FORMATS, OPTIONS
from bpfctl.commands.tree import Node, Option, walk

from bpfctl.explain.catalogue.index import entries

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = Path(__file__).parent
KINDS = {
    "PROG": ("id", "name", "tag", "pinned", "@prog"),
    "MAP": ("id", "name", "pinned", "@map"),
    "LINK": ("id", "pinned", "@link"),
    **dict.fromkeys(("OBJ", "PATH", "DIR", "FILE", "DIRECTORY", "OBJECT"), ("@file",)),
}


def main(words: list[str]) -> int:
    """Write the files, or compare them."""
    stale = []
    for name, text in files().items():
        path = HERE / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in words:
                path.write_text(text)
    if stale and "--check" in words:
        sys.stderr.write(f"stale: {', '.join(stale)} (run completions/generate.py)\n")
        return 1
    return 0


def files() -> dict[str, str]:
    """Return the contents of each file by its name."""
    nodes = list(walk(build()))
    made = {
        "bpfctl.bash": {"words": bash_words(nodes), "options": bash_options(nodes)},
        "_bpfctl": {"words": zsh_words(nodes), "options": zsh_options(nodes)},
        "bpfctl.fish": {
            "groups": fish_groups(nodes),
            "words": fish_words(nodes),
            "options": fish_options(nodes),
        },
    }
    return {name: _fill(name, tables) for name, tables in made.items()}


def _fill(name: str, tables: dict[str, str]) -> str:
    text = (HERE / "parts" / name).read_text()
    for table, lines in tables.items():
        text = text.replace(f"# @{table}@\n", lines)
    return text


def grammar(node: Node) -> list[str]:
    """Return what may follow a command: its verbs, or the keywords and kinds of its words."""
    if node.children:
        return [*node.children, "help"] if len(node.path) > 1 else list(node.children)
    found: dict[str, None] = {}
    said = [argument.metavar for argument in node.arguments]
    if node.path == ("bpfctl", "link", "create"):
        said += FORMS.values()  # too many for its usage
    if node.path in (("bpfctl", "net", "attach"), ("bpfctl", "net", "detach")):
        said = [TYPES, *said, *([PLACE_WORDS] if node.path[-1] == "attach" else ())]
    for token in (token for text in said for token in _tokens(text)):
        found.update(dict.fromkeys(KINDS.get(token, () if token.isupper() else (token,))))
    if node.path == ("bpfctl", "help"):
        found = dict.fromkeys(["sections", "@noun"])
    if node.path == ("bpfctl", "explain"):
        found = dict.fromkeys(entries())
    return list(found)


def _tokens(text: str) -> list[str]:
    words = "".join(c if c.isalnum() or c in "_-." else " " for c in text).split()
    return [word.strip(".") for word in words if word.strip(".")]


def key(node: Node) -> str:
    """Return the words of a command behind "bpfctl"."""
    return " ".join(node.path[1:])


def described(node: Node, nodes: Iterable[Node]) -> list[tuple[str, str]]:
    """Return what may follow a command, each with what it does ("" for a word of a grammar)."""
    below = {child.path[-1]: child.summary for child in nodes if child.path[:-1] == node.path}
    return [(word, below.get(word, "")) for word in grammar(node)]


class Flag(NamedTuple):
    """A way to type an option; `values` is what may follow it, None for a switch."""

    text: str
    help: str
    values: tuple[str, ...] | None


def flags_of(node: Node) -> list[Flag]:
    """Return the flags of a command; the root has the global ones."""
    rows = [
        Flag(text, option.help, _values(option)) for option in node.options for text in option.flags
    ]
    if len(node.path) == 1:
        rows += [Flag(text, option.help, None) for option in OPTIONS for text in option.flags]
        rows += [Flag(text, "How to write.", tuple(FORMATS)) for text in FORMAT_FLAGS]
    return rows


def _values(option: Option) -> tuple[str, ...] | None:
    if option.metavar is None or option.choices:
        return option.choices or None
    return tuple(word for word in KINDS.get(option.metavar, ()) if word == "@file")


def bash_words(nodes: list[Node]) -> str:
    """Return the arms of a `case` over the command."""
    arms = ((key(node), grammar(node)) for node in nodes)
    return "".join(f"    '{name}') echo '{' '.join(words)}' ;;\n" for name, words in arms)


def bash_options(nodes: list[Node]) -> str:
    """Return the arms of a `case` over the command: flags, and `flag=choice,choice` for values."""
    lines = []
    for node in nodes:
        words = [
            flag.text if flag.values is None else f"{flag.text}={','.join(flag.values)}"
            for flag in flags_of(node)
        ]
        lines.append(f"    '{key(node)}') echo '{' '.join(words)}' ;;\n")
    return "".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _zsh(word: str, text: str) -> str:
    word = word.replace(":", "\\:")
    return _quoted(f"{word}:{text}" if text else word)


def zsh_words(nodes: list[Node]) -> str:
    """Return the arms of a `case` that set the array `reply` to words and descriptions."""
    lines = []
    for node in nodes:
        words = " ".join(_zsh(word, text) for word, text in described(node, nodes))
        lines.append(f"    '{key(node)}') reply=({words}) ;;\n")
    return "".join(lines)


def zsh_options(nodes: list[Node]) -> str:
    """Return the arms that set `reply` to options, and `values` to the choices of each."""
    lines = []
    for node in nodes:
        rows = flags_of(node)
        words = " ".join(_zsh(flag.text, flag.help) for flag in rows)
        values = " ".join(
            f"{flag.text} {_quoted(' '.join(flag.values))}"
            for flag in rows
            if flag.values is not None
        )
        lines.append(f"    '{key(node)}') reply=({words}) values=({values}) ;;\n")
    return "".join(lines)


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_groups(nodes: list[Node]) -> str:
    """Return the list of nouns that have verbs."""
    names = [key(node) for node in nodes if node.children and len(node.path) > 1]
    return f"set -g __bpfctl_groups {' '.join(names)}\n"


def fish_words(nodes: list[Node]) -> str:
    """Return a `complete` line for each word of each command."""
    return "".join(
        f"complete -c bpfctl {_fish_place(node)} {_fish_word(word, text)}\n"
        for node in nodes
        for word, text in described(node, nodes)
    )


def _fish_place(node: Node) -> str:
    return "-n " + _fish("__bpfctl_at " + _fish(key(node)))


def _fish_word(word: str, text: str) -> str:
    if word == "@file":
        return "-F"
    if word == "@noun":
        return "-a '(__bpfctl_nouns)'"
    if word.startswith("@"):
        return f"-a '(__bpfctl_live {word[1:]})'"
    return f"-a {_fish(word)}" + (f" -d {_fish(text)}" if text else "")


def fish_options(nodes: list[Node]) -> str:
    """Return a `complete` line for each option; the global ones may stand anywhere."""
    lines = []
    for node in nodes:
        where = f"{_fish_place(node)} " if len(node.path) > 1 else ""
        for flag in flags_of(node):
            long = flag.text.startswith("--")
            form = f"-l {flag.text[2:]}" if long else f"-s {flag.text[1:]}"
            takes = _fish_values(flag.values)
            lines.append(f"complete -c bpfctl {where}{form}{takes} -d {_fish(flag.help)}\n")
    return "".join(lines)


def _fish_values(values: tuple[str, ...] | None) -> str:
    if values is None:
        return ""
    if values == ("@file",):
        return " -r -F"
    return f" -x -a {_fish(' '.join(values))}" if values else " -x"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
