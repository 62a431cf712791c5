"""The options of the commands that load programs, and what their values mean."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.plain_typing import Annotated

from .declare import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from bpfctl.loader.attach_target import TargetWish
    from bpfctl.objects.select import Selector

Program = Annotated[
    str | None,
    Option("--program", metavar="NAME", help="The program of the object that is meant."),
]
Only = Annotated[
    list[str] | None,
    Option("--only", metavar="NAME", help='Load this program ("?" too); may be repeated.'),
]
Skip = Annotated[
    list[str] | None,
    Option("--skip", metavar="NAME", help="Leave this program out; may be repeated."),
]
Target = Annotated[
    list[str] | None,
    Option(
        "--target",
        metavar="[NAME=][PROG:]FUNCTION",
        help="Attach to this function, of loaded program PROG if given (an id, name or path).",
    ),
]
Set = Annotated[
    list[str] | None,
    Option(
        "--set", metavar="NAME=VALUE", help="Set a global variable before the load; repeatable."
    ),
]
Attach = Annotated[bool, Option("--attach", help="Attach to what sections say; pin the links.")]
Interface = Annotated[
    str | None,
    Option(
        "--interface", metavar="NAME", help="Attach XDP, tc and netkit programs to this interface."
    ),
]
Cgroup = Annotated[
    str | None,
    Option("--cgroup", metavar="DIR", help="Attach programs for cgroups to this one."),
]
KeepGoing = Annotated[
    bool,
    Option("--keep-going", help="Keep what could be attached where something could not."),
]
SetMaxEntries = Annotated[
    list[str] | None,
    Option("--set-max-entries", metavar="MAP=N", help="Size of a map of the object; repeatable."),
]
Exclusive = Annotated[
    list[str] | None,
    Option(
        "--exclusive", metavar="MAP=PROG", help="Only this program may use the map; repeatable."
    ),
]
KernelBtf = Annotated[
    str | None,
    Option("--kernel-btf", metavar="FILE", help="Where the kernel's types are."),
]
KernelConfig = Annotated[
    str | None,
    Option("--kernel-config", metavar="FILE", help="Where the kernel's configuration is."),
]
Log = Annotated[
    str,
    Option(
        "--log",
        metavar="none|error|stats|full",
        help="The verifier's log: none of it, what a rejection takes, statistics, or all.",
    ),
]
LogLevel = Annotated[
    int,
    Option(
        "--log-level",
        metavar="N",
        help="Ask for the verifier's log: 1 branches, 2 every instruction, 4 statistics.",
    ),
]
LogSize = Annotated[
    int | None,
    Option("--log-size", metavar="BYTES", help="Size of the log buffer; default: what fits."),
]
LogFixed = Annotated[
    bool,
    Option("--log-fixed", help="Keep the beginning of a log that does not fit, not its end."),
]

_HEX: Final = "0x"
# What the kernel is asked for when no level is given: nothing until a load fails, 4 or 2.
_LOG_LEVELS: Final = {"none": 0, "error": 0, "stats": 4, "full": 2}


def parse_log(word: str, level: int) -> int:
    """Return the level to ask the kernel for, `level` unless that is 0. Raises: UsageError."""
    if word not in _LOG_LEVELS:
        raise UsageError(
            f'--log "{word}": expected none, error, stats or full',
            remedy="the verifier's levels 1, 2 and 4 are for --log-level",
        )
    return level or _LOG_LEVELS[word]


def parse_sizes(words: Sequence[str]) -> dict[str, int]:
    """Read MAP=N words. Raises: UsageError."""
    found: dict[str, int] = {}
    for word in words:
        name, equals, size = word.rpartition("=")
        if not equals or not name:
            raise UsageError(f'"{word}" is no size of a map: expected MAP=N')
        if name in found:
            raise UsageError(f"the size of map {name} is given twice")
        found[name] = _number(size, word)
    return found


def parse_owners(words: Sequence[str]) -> dict[str, str]:
    """Read MAP=PROG words. Raises: UsageError."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, program = word.partition("=")
        if not equals or not name or not program:
            raise UsageError(f'"{word}" gives no map a program: expected MAP=PROG')
        if name in found:
            raise UsageError(f"two programs for map {name}: only one may use it")
        found[name] = program
    return found


def _number(text: str, word: str) -> int:
    try:
        return int(text, 16 if text.lower().startswith(_HEX) else 10)
    except ValueError:
        raise UsageError(f'"{word}": "{text}" is no whole number') from None


def parse_targets(words: Sequence[str]) -> dict[str, TargetWish]:
    """Read [NAME=][PROG:]FUNCTION words, by the name of the program, "" for all others.

    Raises: UsageError.
    """
    from bpfctl.loader.attach_target import TargetWish

    found: dict[str, TargetWish] = {}
    for word in words:
        name, target = _split_name(word)
        if name in found:
            raise UsageError(f"two targets for {f'program {name}' if name else 'all programs'}")
        program, colon, function = target.rpartition(":")
        if not function and not program:
            raise UsageError(f'"{word}" is no target: expected [NAME=][PROG:]FUNCTION')
        found[name] = TargetWish(function, _program(program) if colon else None)
    return found


def _split_name(word: str) -> tuple[str, str]:
    """Split NAME=TARGET; a path may have an "=" too."""
    name, equals, target = word.partition("=")
    return (name, target) if equals and not set(name) & set("/:") else ("", word)


def _program(word: str) -> Selector:
    from bpfctl.objects.ids import ObjectKind

    from .selectors import parse_selector

    return parse_selector([word], ObjectKind.PROG)
