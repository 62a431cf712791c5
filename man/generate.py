# ruff: noqa: INP001 - a script, in no package
"""Write the manual pages from the application.

    python man/generate.py            # writes the pages beside this file
    python man/generate.py --check    # fails when they are stale

Names, options and descriptions come from the commands; what the commands cannot tell (examples,
background) is in `parts/`, in man(7), one file a page.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from bpfctl.commands.main import build
from bpfctl.commands.nouns import BY_NAME
from bpfctl.commands.options import FORMAT_FLAGS, FORMAT_HELP, OPTIONS
from bpfctl.commands.status import Status
from bpfctl.commands.tree import Node, Option, walk

from bpfctl.explain.catalogue.index import entries

HERE = Path(__file__).parent
DATE = "2026-11-21"  # of the last change to what a page says beyond the commands
_VOLUMES = {7: "Miscellaneous", 8: "System Administration"}
STATUS = {
    Status.DONE: "Done.",
    Status.FAILED: "The operation failed.",
    Status.USAGE: "The command line is wrong.",
    Status.NOT_FOUND: "No such object.",
    Status.NOT_PERMITTED: "Not permitted.",
    Status.NOT_SUPPORTED: "This kernel lacks the feature.",
    Status.REJECTED: "The verifier rejected the program.",
    Status.INTERRUPTED: "Interrupted.",
}


def main(words: list[str]) -> int:
    """Write the pages, or compare them."""
    stale = []
    for name, text in pages().items():
        path = HERE / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in words:
                path.write_text(text)
    if stale and "--check" in words:
        sys.stderr.write(f"stale: {', '.join(stale)} (run man/generate.py)\n")
        return 1
    return 0


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    root, *nodes = walk(build())
    nouns = [node for node in nodes if len(node.path) == 2]
    made = {"bpfctl.8": overview(root, nouns)}
    for noun in nouns:
        verbs = [node for node in nodes if node.path[:2] == noun.path and node is not noun]
        made[f"bpfctl-{noun.path[1]}.8"] = noun_page(noun, verbs, nouns)
    made["bpfctl-errors.7"] = errors_page()
    return made


def errors_page() -> str:
    """Return the page of the codes of errors, from the library's catalogue."""
    lines = [
        *title("bpfctl-errors", "What the codes of bpfctl's errors mean", 7),
        ".SH DESCRIPTION",
        *part("errors"),
        ".SH CODES",
    ]
    for entry in entries().values():
        lines += [
            f".SS {escape(entry.code)}",
            *text(f"{entry.title[:1].upper()}{entry.title[1:]}."),
        ]
        lines += [".PP", *paragraphs(entry.meaning)]
        for label, words in (
            ("How bpfctl knows", entry.confirmed),
            ("What to do", entry.remedy),
            ("Kernels", entry.kernels),
        ):
            lines += [".TP", f".I {label}", *text(words)]
    return "\n".join([*lines, ".SH SEE ALSO", ".BR bpfctl (8),", ".BR bpfctl\\-explain (8)", ""])


def overview(root: Node, nouns: list[Node]) -> str:
    """Return the page of bpfctl itself."""
    options = [Option(option.flags, None, option.help) for option in OPTIONS]
    options.append(Option(FORMAT_FLAGS, "FORMAT", FORMAT_HELP))
    lines = [
        *title("bpfctl", root.summary),
        ".SH SYNOPSIS",
        *synopsis_line(["bpfctl"], ["[OPTIONS]", "NOUN", "[VERB]", "[WORD ...]"]),
        ".SH DESCRIPTION",
        *paragraphs(root.help),
        ".SH NOUNS",
        *(line for noun in nouns for line in noun_item(noun)),
        ".SH OPTIONS",
        "They may stand anywhere before",
        r".BR \-\- .",
        *(line for option in [*options, *root.options] for line in option_item(option)),
        ".SH EXIT STATUS",
        *(line for status in Status for line in (".TP", f".B {status:d}", STATUS[status])),
        *capabilities(),
        *part("bpfctl"),
        *see_also([], nouns),
    ]
    return "\n".join(lines) + "\n"


def noun_page(noun: Node, verbs: list[Node], nouns: list[Node]) -> str:
    """Return the page of one noun."""
    commands = verbs or [noun]
    lines = [
        *title(f"bpfctl-{noun.path[1]}", BY_NAME[noun.path[1]].help.rstrip(".")),
        ".SH SYNOPSIS",
    ]
    for node in commands:
        lines += synopsis_line(list(node.path), [a.usage for a in node.arguments])
    lines += [".SH DESCRIPTION", *paragraphs(noun.help)]
    default = BY_NAME[noun.path[1]].default
    if default:
        lines += [".PP", "Without a verb:", f".BR {default} ."]
    lines += [".SH COMMANDS"] if verbs else details(noun)
    for node in verbs:
        lines += [f".SS {escape(' '.join(node.path))}", *paragraphs(node.help), *details(node)]
    lines += [*part(noun.path[1]), *see_also([noun], nouns)]
    return "\n".join(lines) + "\n"


def title(name: str, summary: str, section: int = 8) -> list[str]:
    """Return the head of a page."""
    short = summary[:1].lower() + summary[1:]
    return [
        '.\\" Generated by man/generate.py from the commands and man/parts: change those.',
        f'.TH {name.upper()} {section} {DATE} bpfctl "{_VOLUMES[section]}"',
        ".SH NAME",
        f"{escape(name)} \\- {escape(short)}",
    ]


def synopsis_line(words: list[str], rest: list[str]) -> list[str]:
    """Return one command with what it takes; the lines after the first are set in."""
    return [".HP", f"\\fB{escape(' '.join(words))}\\fP {escape(' '.join(rest))}".rstrip()]


def details(node: Node) -> list[str]:
    """Return the words and options of a command."""
    words = [
        line
        for argument in node.arguments
        for line in (".TP", f".I {escape(argument.metavar)}", *text(argument.help))
    ]
    options = [line for option in node.options for line in option_item(option)]
    return [*words, *options]


def option_item(option: Option) -> list[str]:
    """Return one option with its meaning."""
    flags = ", ".join(f"\\fB{escape(flag)}\\fP" for flag in option.flags)
    value = f" \\fI{escape(option.metavar)}\\fP" if option.metavar else ""
    choices = f" One of {', '.join(option.choices)}." if option.choices else ""
    return [".TP", flags + value, *text(option.help + choices)]


def noun_item(noun: Node) -> list[str]:
    """Return a noun with its meaning and where to read on."""
    name = noun.path[1]
    help_text = BY_NAME[name].help
    return [".TP", f".B {name}", *text(help_text), f"See \\fBbpfctl\\-{name}\\fP(8)."]


def paragraphs(help_text: str) -> list[str]:
    """Return the paragraphs of a docstring; indented lines stay lines."""
    lines: list[str] = []
    for block in help_text.split("\n\n"):
        lines.append(".PP")
        if block.startswith("  "):
            body = [escape(line) for line in block.split("\n")]
            lines += [".nf", *body, ".fi"]
        else:
            lines += text(block)
    return lines[1:]


def text(words: str) -> list[str]:
    """Return flowing text, each sentence on its line as man pages have it."""
    flat = re.sub(r"`([^`]*)`", "\x01\\1\x02", " ".join(words.split()))
    sentences = re.split(r"(?<=[.!?]) (?=[A-Z\x01])", flat)
    return [
        escape(line).replace("\x01", r"\fB").replace("\x02", r"\fP") for line in sentences if line
    ]


def escape(words: str) -> str:
    """Return text with what roff would read taken away from it."""
    words = words.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{words}" if words.startswith((".", "'")) else words


def part(name: str) -> list[str]:
    """Return the hand-written sections of a page, if there are any."""
    path = HERE / "parts" / f"{name}.man"
    return path.read_text().rstrip("\n").split("\n") if path.exists() else []


def capabilities() -> list[str]:
    """Return what each command needs: the table that the kernel tests go by, by what is needed."""
    table = tomllib.loads((HERE / "capabilities.toml").read_text())
    by_needs: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in table["row"]:
        needs = " and ".join(row["needs"]) or "None"
        by_needs.setdefault(needs, {}).setdefault(row["verb"], []).append(row)
    lines = [".SH CAPABILITIES", *part("capabilities")]
    for needs in sorted(by_needs, key=lambda one: (one.count("CAP_") if one != "None" else 0, one)):
        lines.append(f".SS {escape(needs)}")
        for verb, rows in by_needs[needs].items():
            lines += [".TP", f".B {verb}", *_cases(rows)]
    return lines


def _cases(rows: list[dict[str, Any]]) -> list[str]:
    """Return what one command is done with, and what is to be known of it."""
    words = "; ".join(row.get("of", "(all)") for row in rows if "of" in row or len(rows) > 1)
    notes = [row["note"] for row in rows if "note" in row]
    return [*text(words + "." if words else ""), *(line for note in notes for line in text(note))]


def see_also(but: list[Node], nodes: list[Node]) -> list[str]:
    """Return the pages around this one, in the order of their names."""
    names = sorted(f"bpfctl\\-{noun.path[1]}" for noun in nodes if noun not in but)
    names = ["bpfctl", *names] if but else [*names, "bpftool"]
    pages = [*(f"{name} (8)" for name in names), "bpfctl\\-errors (7)"]
    return [".SH SEE ALSO", *(f".BR {one}," for one in pages[:-1]), f".BR {pages[-1]}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
