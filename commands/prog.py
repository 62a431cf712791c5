# ruff: noqa: TC001 - the types of options are read at run time
"""`bpfctl prog`: load programs from an object file, show and pin those that are loaded."""

from __future__ import annotations

from .declare import Argument, Noun
from .load_options import (
    Attach,
    Cgroup,
    Exclusive,
    Interface,
    KeepGoing,
    KernelBtf,
    KernelConfig,
    Log,
    LogFixed,
    LogLevel,
    LogSize,
    Only,
    Program,
    Set,
    SetMaxEntries,
    Skip,
    Target,
)
from .load_words import GRAMMAR, parse_load_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    from .declare import Call

app = Noun("Load, pin and show programs.")

_LOAD = f"OBJ PATH {GRAMMAR}"
_LOADALL = f"OBJ DIR {GRAMMAR}"


@app.command()
def load(
    call: Call,
    words: Annotated[list[str] | None, Argument(metavar=_LOAD, help="As in bpftool.")] = None,
    program: Program = None,
    target: Target = None,
    set_: Set = None,
    set_max_entries: SetMaxEntries = None,
    exclusive: Exclusive = None,
    kernel_btf: KernelBtf = None,
    kernel_config: KernelConfig = None,
    log: Log = "error",
    log_level: LogLevel = 0,
    log_size: LogSize = None,
    log_fixed: LogFixed = False,
    attach: Attach = False,
    interface: Interface = None,
    cgroup: Cgroup = None,
) -> None:
    """Load one program of an object file and pin it.

    It is the object's first program, or the one named by --program. PATH is where to pin it, on a
    bpffs; `pinmaps DIR` also pins the object's maps, at DIR/name. `map` uses a loaded map in place
    of one of the object's, `type` loads the program as one of that section instead of its own.
    --attach (bpftool's `autoattach`) pins a link to what its section says, --interface and --cgroup
    one to that place. Whatever fails, nothing stays.
    """
    from .prog_load import LoadRequest, load_one

    wishes = (None, None, target, set_, set_max_entries, exclusive, kernel_btf, kernel_config)
    logging = (log, log_level, log_size, log_fixed)
    parsed = parse_load_words(words or [])
    request = LoadRequest(parsed, *wishes, *logging, attach, False, interface, cgroup)
    load_one(call.out, request, program)


@app.command()
def loadall(
    call: Call,
    words: Annotated[list[str] | None, Argument(metavar=_LOADALL, help="As in bpftool.")] = None,
    only: Only = None,
    skip: Skip = None,
    target: Target = None,
    set_: Set = None,
    set_max_entries: SetMaxEntries = None,
    exclusive: Exclusive = None,
    kernel_btf: KernelBtf = None,
    kernel_config: KernelConfig = None,
    log: Log = "error",
    log_level: LogLevel = 0,
    log_size: LogSize = None,
    log_fixed: LogFixed = False,
    attach: Attach = False,
    keep_going: KeepGoing = False,
    interface: Interface = None,
    cgroup: Cgroup = None,
) -> None:
    """Load all programs of an object file and pin each at DIR/name.

    Programs in sections that begin with "?" are left out unless --only names them. DIR is made
    when its parent is there, on a bpffs. `pinmaps DIR` also pins the object's maps. `map` uses a
    loaded map in place of one of the object's, `type` loads the programs as those of that section
    instead of their own. Whatever fails, nothing stays. --attach (bpftool's `autoattach`) attaches
    each program to what its section says and pins the link at DIR/name in its place; programs
    whose sections do not say are pinned as they are. --interface and --cgroup attach those for
    interfaces and for cgroups too; where the kernel has no tcx (before 6.6) a program for tc
    becomes a filter, which `unload` takes away.
    """
    from .prog_load import LoadRequest, load_all

    wishes = (only, skip, target, set_, set_max_entries, exclusive, kernel_btf, kernel_config)
    logging = (log, log_level, log_size, log_fixed)
    parsed = parse_load_words(words or [])
    request = LoadRequest(parsed, *wishes, *logging, attach, keep_going, interface, cgroup)
    load_all(call.out, request)


@app.command()
def show(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="[PROG]", help="id N, name NAME, tag TAG or pinned PATH."),
    ] = None,
) -> None:
    """Show loaded programs: all, or those that the words choose."""
    from bpfctl.objects.prog import prog_info, programs

    from .prog_show import show_programs

    out = call.out
    if not words:
        show_programs(out, list(programs()), whole=False)
        return
    from bpfctl.objects.ids import ObjectKind

    from .chosen import chosen
    from .selectors import parse_selector

    with chosen(parse_selector(words, ObjectKind.PROG)) as fds:
        show_programs(out, [prog_info(fd) for fd in fds], whole=True)


@app.command()
def unload(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="DIR | PROG", help="The directory of a load, or a program."),
    ] = None,
) -> None:
    """Take apart what a load made: remove its pins, links first, and its directory.

    DIR is where `loadall` pinned, by its path or its name on a bpffs; PROG is a program, also by
    the PATH of `prog load`: all its pins go, and those of its links. A filter of tc that the load
    attached is taken away. What is still in the kernel then is shown, with what keeps it: other
    pins, links, programs, processes, or interfaces where it runs without a link.
    """
    from .prog_unload import unload_chosen

    unload_chosen(call.out, words or [])


@app.command()
def pin(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="PROG PATH", help="The program, and a path on a bpffs."),
    ] = None,
) -> None:
    """Keep a program alive under a path of a bpffs."""
    from bpfctl.objects.ids import ObjectKind

    from .pinning import pin_chosen

    pin_chosen(call.out, words or [], ObjectKind.PROG, "prog-pin")
