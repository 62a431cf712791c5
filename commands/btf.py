"""`bpfctl btf`: list type information, and write it as C, as JSON or type by type."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.objects.ids import ObjectKind
from bpfctl.plain_typing import Annotated

from .chosen import chosen
from .declare import Argument, Exit, Noun, Option
from .selectors import parse_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.objects.btf_list import BtfInfo

    from .context import Context
    from .declare import Call
    from .located import Located
    from .render import Column

app = Noun("Show, compare and convert type information; write headers.")

_SOURCE = "kernel [modules], file FILE, id N, prog PROG, or map MAP [key|value|kv|all]"
_LISTED = 6  # users of one object in a table; JSON has all
_SHOWN = (
    "A BTF object: id N, or name NAME. Or a type: its name, with struct, union, enum, typedef, "
    f"func or var before it where only that is meant; SOURCE is {_SOURCE}."
)
_GRAMMAR = "SOURCE [format raw|c|json] [root_id N] [unsorted]"
_Base = Annotated[
    str | None,
    Option("--base-btf", "-B", metavar="FILE", help="What the types of FILE are based on."),
]


@app.command()
def show(
    call: Call,
    words: Annotated[
        list[str] | None, Argument(metavar="[BTF | [KIND] NAME [SOURCE]]", help=_SHOWN)
    ] = None,
    base: _Base = None,
    expand: Annotated[
        bool, Option("--expand", "-E", help="Open members that are structs with names too.")
    ] = False,
) -> None:
    """Show the type information that is loaded, or one type with offsets, sizes and holes.

    A type is looked for in the running kernel and its modules, or in SOURCE. Each member has its
    offset in bytes (with the bit, for bit-fields) and its size behind it.
    """
    from bpfctl.objects.btf_list import btf_info, btf_infos, btf_users

    out = call.out
    if words and words[0] not in ("id", "name") and not words[0].isdecimal():
        from .btf_type import show_type

        show_type(out, words, base, expand=expand)
        return
    if base is not None or expand:
        raise UsageError("--base-btf and --expand are for one type: expected its NAME")
    if not words:
        _show(out, btf_infos(), whole=False)
        return
    users = btf_users()
    with chosen(parse_selector(words, ObjectKind.BTF)) as fds:
        _show(out, [btf_info(fd, *users) for fd in fds], whole=True)


def _show(out: Context, infos: Sequence[BtfInfo], *, whole: bool) -> None:
    from .located import show_located

    show_located(out, ObjectKind.BTF, infos, _columns(), whole=whole)


def _columns() -> list[Column[Located[BtfInfo]]]:
    from .render import Column

    return [
        Column("ID", lambda r: r.info.id, right=True),
        Column("NAME", lambda r: r.info.name or None),
        Column("SIZE", lambda r: f"{r.info.size_bytes} B", 3, right=True),
        Column("PROGRAMS", lambda r: _listed(r.info.prog_ids), 1),
        Column("MAPS", lambda r: _listed(r.info.map_ids), 2),
        Column("HELD BY", lambda r: r.where.held_by, 1),
    ]


def _listed(ids: Sequence[int]) -> str | None:
    words = [str(number) for number in ids[:_LISTED]]
    if len(ids) > _LISTED:
        words.append(f"{len(ids) - _LISTED} more")
    return ", ".join(words) or None


@app.command()
def dump(
    call: Call,
    words: Annotated[
        list[str] | None, Argument(metavar=_GRAMMAR, help=f"SOURCE is {_SOURCE}.")
    ] = None,
    base: _Base = None,
    contexts: Annotated[
        bool,
        Option("--ctx", help="Add the contexts of tracing programs to C, as structs."),
    ] = False,
) -> None:
    """Write type information: raw (type by type), or as a C header (vmlinux.h).

    `kernel modules` are the types of the kernel and all its modules, each once; several files
    (`file A file B`) of modules are merged too, on top of what they are based on.

    The header declares everything in an order a compiler takes, sorted by name; the same types
    give the same bytes everywhere. `root_id` writes one type, in C with all that it needs.

    With --ctx each tracepoint, LSM hook, iterator and function has a struct of what its programs
    get: `int handler(struct lsm_file_mprotect_ctx *ctx)` reads `ctx->vma`, without macros.
    """
    from .btf_dump import dump as write
    from .btf_words import parse

    write(call.out, parse(words or [], base, contexts=contexts))


@app.command()
def diff(
    call: Call,
    words: Annotated[
        list[str] | None, Argument(metavar="SOURCE SOURCE", help=f"SOURCE is {_SOURCE}.")
    ] = None,
    base: Annotated[
        list[str] | None,
        Option(
            "--base-btf",
            "-B",
            metavar="FILE",
            help="What the types of the files are based on; given twice, for the second one.",
        ),
    ] = None,
    name: Annotated[
        str, Option("--name", metavar="PATTERN", help="Only types whose names match (bpf_*).")
    ] = "*",
    exit_code: Annotated[
        bool, Option("--exit-code", help="Exit with 1 when the types differ.")
    ] = False,
) -> None:
    """Show how the types of one kernel or file differ from those of another.

    Types go by their names: new ones, those that are gone, and what changed in others: sizes,
    members with their types and offsets, signatures of functions, constants. The exit status is 0
    whether they differ or not; with --exit-code 1 says that they do.
    """
    from .btf_diff import show_diff

    bases = base or [""]
    if show_diff(call.out, words or [], (bases[0], bases[-1]), name) and exit_code:
        raise Exit(1)


@app.command()
def extract(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="FILE OUTPUT", help="An ELF file with types, and where to write."),
    ] = None,
    base: _Base = None,
) -> None:
    """Write the types of an ELF file (vmlinux, a module, a program) as they are stored in it.

    The bytes are those that /sys/kernel/btf has of a running kernel; `file` reads them. Types of a
    module that brings a small base of its own (Linux 6.11) are put on those of --base-btf, as a
    kernel does that loads it.
    """
    from .btf_extract import extract as write

    write(call.out, words or [], base)


@app.command()
def downgrade(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="SOURCE OUTPUT", help=f"Where to write; SOURCE is {_SOURCE}."),
    ] = None,
    base: _Base = None,
    to: Annotated[
        str | None, Option("--to", metavar="VERSION", help="The kernel that reads them (5.4).")
    ] = None,
) -> None:
    """Write types as a kernel of an older version reads them, and bpftool and libbpf of its time.

    What came later is replaced by what there was, of the same size and with the same id: enum64 by
    an enumeration or a union, tags by const, floating-point numbers by structs, and so on. Kinds
    newer than bpfctl knows become integers of one byte. How many types that are is shown.
    """
    from .btf_downgrade import downgrade as write

    write(call.out, words or [], base, to)
