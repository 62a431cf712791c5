"""The words of `prog load` and `prog loadall`, and the options they share with `iter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from bpfctl.errors import NotYetError, UsageError
from bpfctl.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

Program = Annotated[
    str | None,
    typer.Option("--program", metavar="NAME", help="The program of the object that is meant."),
]
LogLevel = Annotated[
    int,
    typer.Option(
        "--log-level",
        metavar="N",
        help="Ask for the verifier's log: 1 branches, 2 every instruction, 4 statistics.",
    ),
]
LogSize = Annotated[
    int | None,
    typer.Option("--log-size", metavar="BYTES", help="Size of the log buffer; default: what fits."),
]
LogFixed = Annotated[
    bool,
    typer.Option("--log-fixed", help="Keep the beginning of a log that does not fit, not its end."),
]

# Words of bpftool that come in a later version.
_LATER: Final = {
    "type": "type (choosing another program type)",
    "map": "map (using maps that exist already)",
    "autoattach": "autoattach",
    "kernel_btf": "kernel_btf (types of another kernel)",
    "dev": "dev (offload to a device)",
    "offload_dev": "offload_dev (offload to a device)",
    "xdpmeta_dev": "xdpmeta_dev (binding to a device)",
}


@plain
class LoadWords:
    """OBJ PATH [pinmaps DIR]."""

    obj: str
    path: str
    pinmaps: str | None = None


def parse_load_words(words: Sequence[str]) -> LoadWords:
    """Read the words behind `prog load`.

    Raises: UsageError, NotYetError for what bpftool knows and this version does not.
    """
    if len(words) < 2:
        raise UsageError("expected OBJ PATH: the object file, and where to pin")
    obj, path, *rest = words
    pinmaps = None
    while rest:
        word, *rest = rest
        if word in _LATER:
            raise NotYetError(_LATER[word])
        if word != "pinmaps":
            raise UsageError(f'"{word}" is one word too many: expected "pinmaps DIR" or nothing')
        if not rest or pinmaps is not None:
            raise UsageError('"pinmaps" wants one directory after it')
        pinmaps, *rest = rest
    return LoadWords(obj, path, pinmaps)
