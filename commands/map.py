"""`bpfctl map`: show maps, dump their entries, pin them."""

from __future__ import annotations

from contextlib import ExitStack

from bpfctl.objects.ids import ObjectKind

from .chosen import chosen
from .declare import Argument, Noun
from .selectors import parse_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Annotated

    from bpfctl.objects.map_info import MapInfo

    from .context import Context
    from .declare import Call
    from .located import Located
    from .render import Column

app = Noun("Show, dump and pin maps.")

HELP = "A map: id N, name NAME or pinned PATH; short: N, NAME or PATH."


@app.command()
def show(
    call: Call,
    words: Annotated[list[str] | None, Argument(metavar="[MAP]", help=HELP)] = None,
) -> None:
    """Show maps: all, or those that the words choose."""
    out = call.out
    if words:
        from bpfctl.objects.map_info import map_info

        with chosen(parse_selector(words, ObjectKind.MAP)) as fds:
            _show(out, [map_info(fd) for fd in fds], whole=True)
    else:
        from bpfctl.objects.map import maps

        _show(out, list(maps()), whole=False)


def _show(out: Context, infos: Sequence[MapInfo], *, whole: bool) -> None:
    from .located import show_located

    show_located(out, ObjectKind.MAP, infos, _columns(), whole=whole)


def _columns() -> list[Column[Located[MapInfo]]]:
    from .render import Column

    return [
        Column("ID", lambda r: r.info.id, right=True),
        Column("TYPE", lambda r: r.info.type_name),
        Column("NAME", lambda r: r.info.name),
        Column("KEY", lambda r: f"{r.info.bytes_key} B", 3, right=True),
        Column("VALUE", lambda r: f"{r.info.bytes_value} B", 3, right=True),
        Column("ENTRIES", lambda r: r.info.max_entries, 2, right=True),
        Column("MEMORY", lambda r: _size(r.info.bytes_memlock), 4, right=True),
        Column("FLAGS", lambda r: f"{r.info.flags:#x}", 6, right=True, wide=True),
        Column("FROZEN", lambda r: r.info.frozen, 6, wide=True),
        Column("BTF", lambda r: r.info.btf_id or None, 6, right=True, wide=True),
        Column("PINNED", lambda r: r.where.pinned, 1),
        Column("HELD BY", lambda r: r.where.held_by, 1),
    ]


def _size(size_bytes: int | None) -> str | None:
    """A size that a person can compare: three digits and a unit."""
    if size_bytes is None:
        return None
    if size_bytes < 1000:
        return f"{size_bytes} B"
    power = min((size_bytes.bit_length() - 1) // 10 or 1, 3)
    return f"{size_bytes / 1024**power:.3g} {'KMG'[power - 1]}iB"


@app.command()
def dump(
    call: Call,
    words: Annotated[list[str] | None, Argument(metavar="MAP", help=HELP)] = None,
) -> None:
    """Show the entries of a map, by their types where they are known.

    A line has the key and the value; JSON is that of bpftool.
    """
    from bpfctl.objects.map import Map

    from .map_dump import dump as write

    with chosen(parse_selector(words or [], ObjectKind.MAP)) as fds, ExitStack() as stack:
        opened = [stack.enter_context(Map(fd.duplicate())) for fd in fds]
        write(call.out, opened)


@app.command()
def pin(
    call: Call,
    words: Annotated[
        list[str] | None, Argument(metavar="MAP PATH", help=HELP + " PATH lies in a bpffs.")
    ] = None,
) -> None:
    """Keep a map alive under a path of a bpffs."""
    from .pinning import pin_chosen

    pin_chosen(call.out, words or [], ObjectKind.MAP, "map-pin")
