"""`bpfctl prog`: load programs from an object file, show and pin those that are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bpfctl.errors import BpfctlError, UsageError
from bpfctl.objects.ids import ObjectKind

from .chosen import chosen, open_one
from .context import current
from .load_words import LogFixed, LogLevel, LogSize, Program, parse_load_words
from .selectors import expect_end, parse_selector, take_selector

if TYPE_CHECKING:
    from .context import Context

app = typer.Typer(help="Load, pin and show programs.")

_LOAD = "OBJ PATH [pinmaps DIR]"
_LOADALL = "OBJ DIR [pinmaps DIR]"


@app.command()
def load(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar=_LOAD, help="As in bpftool.")] = None,
    program: Program = None,
    log_level: LogLevel = 0,
    log_size: LogSize = None,
    log_fixed: LogFixed = False,
) -> None:
    """Load one program of an object file and pin it.

    It is the object's first program, or the one named by --program. PATH is where to pin it, on a
    bpffs; `pinmaps DIR` also pins the object's maps, at DIR/name. Whatever fails, nothing stays.
    """
    from .prog_load import LoadRequest, load_one

    request = LoadRequest(parse_load_words(words or []), log_level, log_size, log_fixed)
    load_one(current(ctx), request, program)


@app.command()
def loadall(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar=_LOADALL, help="As in bpftool.")
    ] = None,
    log_level: LogLevel = 0,
    log_size: LogSize = None,
    log_fixed: LogFixed = False,
) -> None:
    """Load all programs of an object file and pin each at DIR/name.

    Programs in sections that begin with "?" are left out. DIR is made when its parent is there, on
    a bpffs. `pinmaps DIR` also pins the object's maps. Whatever fails, nothing stays.
    """
    from .prog_load import LoadRequest, load_all

    request = LoadRequest(parse_load_words(words or []), log_level, log_size, log_fixed)
    load_all(current(ctx), request)


@app.command()
def show(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROG]", help="id N, name NAME, tag TAG or pinned PATH."),
    ] = None,
) -> None:
    """Show loaded programs: all, or those that the words choose."""
    from bpfctl.objects.prog import prog_info, programs

    from .prog_show import show_programs

    out = current(ctx)
    if not words:
        show_programs(out, list(programs()), whole=False)
        return
    with chosen(parse_selector(words, ObjectKind.PROG)) as fds:
        show_programs(out, [prog_info(fd) for fd in fds], whole=True)


@app.command()
def pin(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROG PATH", help="The program, and a path on a bpffs."),
    ] = None,
) -> None:
    """Keep a program alive under a path of a bpffs."""
    from bpfctl.objects.pin import pin as pin_at

    out = current(ctx)
    selector, rest = take_selector(words or [], ObjectKind.PROG)
    if not rest:
        raise UsageError("where to? expected PROG PATH")
    path, *more = rest
    expect_end(more)
    try:
        with open_one(selector) as fd:
            pin_at(fd, path, mount=not out.no_mount)
    except BpfctlError as err:
        err.within(operation="prog-pin")
        raise
    _done(out)


def _done(out: Context) -> None:
    """Answer a script of bpftool, which writes `null` where there is nothing to show."""
    if out.json:
        from .output import write_json

        write_json(out, None)
