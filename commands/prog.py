"""`bpfctl prog`: load programs from an object file, show and pin those that are loaded."""

from __future__ import annotations

from typing import Annotated

import typer

from bpfctl.objects.ids import ObjectKind

from .chosen import chosen
from .context import current
from .load_words import LogFixed, LogLevel, LogSize, Program, parse_load_words
from .selectors import parse_selector

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
    from .pinning import pin_chosen

    pin_chosen(current(ctx), words or [], ObjectKind.PROG, "prog-pin")
