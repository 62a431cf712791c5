# ruff: noqa: TC001 - the types of options are read at run time
"""`bpfctl struct_ops`: implement structs of functions of the kernel with programs."""

from __future__ import annotations

from contextlib import contextmanager

from bpfctl.objects.ids import ObjectKind
from bpfctl.plain import replace
from bpfctl.plain_typing import Annotated

from .declare import Argument, Noun
from .load_options import KernelConfig, Set
from .output import write_json
from .selectors import parse_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.struct_ops import StructOps

    from .declare import Call

app = Noun("Implement structs of functions of the kernel with programs.")

_MAP = Annotated[
    list[str] | None,
    Argument(metavar="STRUCT_OPS", help="id N or name NAME; short: N or NAME."),
]
_ANY_MAP = Annotated[
    list[str] | None,
    Argument(metavar="[STRUCT_OPS]", help="id N or name NAME; short: N or NAME."),
]


@app.command()
def show(call: Call, words: _ANY_MAP = None) -> None:
    """Show struct_ops maps: all, or those that the words choose."""
    from bpfctl.objects.struct_ops import struct_ops

    from .render import Column, render

    with _chosen(words) as fds:
        records = [struct_ops(fd) for fd in fds]
    columns: list[Column[StructOps]] = [
        Column("ID", lambda r: r.info.id, right=True),
        Column("NAME", lambda r: r.info.name),
        Column("IMPLEMENTS", lambda r: r.kernel_struct),
        Column("BY LINK", lambda r: r.has_link, 1),
    ]
    render(call.out, records, columns)


@app.command()
def dump(call: Call, words: _ANY_MAP = None) -> None:
    """Show struct_ops maps whole, with the programs in them, as JSON in any output format."""
    from bpfctl.objects.struct_ops import dump as read

    with _chosen(words) as fds:
        found = [part for fd in fds for part in read(fd)]
    out = call.out
    write_json(out if out.json else replace(out, pretty=True), found)


@app.command()
def register(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="OBJ [LINK_DIR]", help="As in bpftool; LINK_DIR is on a bpffs."),
    ] = None,
    set_: Set = None,
    kernel_config: KernelConfig = None,
) -> None:
    """Load an object file and have the kernel use all its struct_ops.

    Those of section .struct_ops stay until they are unregistered. Those of .struct_ops.link stay
    as long as their links, which are pinned at LINK_DIR/name. Whatever fails, nothing stays.
    """
    from .struct_ops_register import register_all

    register_all(call.out, words or [], set_ or [], kernel_config)


@app.command()
def unregister(call: Call, words: _MAP = None) -> None:
    """Have the kernel no longer use struct_ops maps."""
    from bpfctl.objects.select import find
    from bpfctl.objects.struct_ops import unregister as take_out

    from .output import say, write_done

    out = call.out
    selector = parse_selector(words or [], ObjectKind.MAP)
    for fd in find(selector):
        with fd:
            found = take_out(fd)
        say(f"unregistered {found.kernel_struct} {found.info.name} id {found.info.id}")
    write_done(out)


@contextmanager
def _chosen(words: list[str] | None) -> Iterator[list[Fd]]:
    """Open the struct_ops maps that words choose, all without words; and close them."""
    from contextlib import ExitStack

    from bpfctl.errors import NotFoundError
    from bpfctl.kernel.uapi import MapType
    from bpfctl.objects.ids import open_id
    from bpfctl.objects.map import maps
    from bpfctl.objects.select import find

    with ExitStack() as stack:
        if words:
            selector = parse_selector(words, ObjectKind.MAP)
            yield [stack.enter_context(fd) for fd in find(selector, read_only=True)]
            return
        found = []
        for info in list(maps()):
            if info.type == MapType.STRUCT_OPS:
                try:
                    found.append(stack.enter_context(open_id(ObjectKind.MAP, info.id)))
                except NotFoundError:  # gone since it was listed
                    continue
        yield found
