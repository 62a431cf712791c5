"""The first words of a command line: each is a module of this package, imported when it is used."""

from __future__ import annotations

from bpfctl.plain_typing import NamedTuple


class Noun(NamedTuple):
    """One first word.

    `default` is the verb that stands for the bare noun, as in bpftool (`bpftool prog` shows);
    a `single` noun is a command itself and has no verbs. `module` is where it is, if not in the
    module of its name. One that `needs_typer` speaks of all the others.
    """

    name: str
    help: str
    default: str | None = None
    single: bool = False
    module: str = ""
    needs_typer: bool = False


NOUNS = (
    Noun("prog", "Load, pin and show programs.", default="show"),
    Noun("map", "Show, dump and pin maps.", default="show"),
    Noun("link", "Attach programs; show, pin and detach what is attached.", default="show"),
    Noun("net", "Attach programs to interfaces; show what the network runs.", default="show"),
    Noun("iter", "Run iterators, or pin them to be read as files."),
    Noun("btf", "Show, compare and convert type information; write headers.", default="show"),
    Noun("gen", "Write C that programs begin with, and types for old kernels."),
    Noun(
        "struct_ops",
        "Implement structs of functions of the kernel with programs.",
        default="show",
    ),
    Noun("feature", "Ask the running kernel what it can do.", default="probe"),
    Noun(
        "doctor",
        "Say what works on this machine, what does not, and what that costs.",
        single=True,
    ),
    Noun("explain", "Say what the code of an error means, and what to do.", single=True),
    Noun("why", "Say why a program does not run.", single=True),
    Noun(
        "requires",
        "List what objects need of a kernel, and the first that has it.",
        single=True,
    ),
    Noun("check", "Say whether objects run on kernels, without loading them.", single=True),
    Noun("demo", "Show the whole path on this kernel, and clean up.", single=True),
    Noun("version", "Show the versions of bpfctl, Python and the kernel.", single=True),
    Noun(
        "help",
        "Explain a command, or list the section names of programs.",
        single=True,
        needs_typer=True,
    ),
)
_COMPLETE = Noun("__complete", "For shells.", single=True, module="complete")
ALIASES = {"list": "show"}  # bpftool's other word for it
BY_NAME = {noun.name: noun for noun in (*NOUNS, _COMPLETE)}
