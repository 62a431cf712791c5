"""`bpfctl link`: attach programs; show, pin, update and detach what is attached."""

from __future__ import annotations

from contextlib import ExitStack

from bpfctl.objects.ids import ObjectKind

from .chosen import chosen, open_one
from .declare import Argument, Noun, Option
from .link_forms import FORMS
from .output import write_done
from .selectors import expect_end, parse_selector, take_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    from .declare import Call

app = Noun("Attach programs; show, pin, update and detach what is attached.")

_CREATE_HELP = f"""The program, and what to attach it to: {"; ".join(FORMS.values())}."""


@app.command()
def show(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="[LINK]", help="id N or pinned PATH; short: N, PATH."),
    ] = None,
) -> None:
    """Show what is attached where, by which program, where it is pinned and who holds it."""
    from bpfctl.objects.link import link_info, links

    from .link_show import show_links

    out = call.out
    if not words:
        show_links(out, list(links()), whole=False)
        return
    with chosen(parse_selector(words, ObjectKind.LINK)) as fds:
        show_links(out, [link_info(fd) for fd in fds], whole=True)


@app.command(loose=True)  # a priority may be negative
def create(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="PROG [TARGET...] | struct_ops MAP", help=_CREATE_HELP),
    ] = None,
    pin: Annotated[
        str | None, Option("--pin", metavar="PATH", help="Keep the link under this path.")
    ] = None,
    hold: Annotated[
        bool, Option("--hold", help="Keep the link until Ctrl-C, without a pin.")
    ] = False,
) -> None:
    """Attach a program.

    A link lives as long as something holds it: give it a pin, or hold it yourself. Without TARGET
    the program is attached to what it was loaded for. Whatever fails, nothing stays attached. Where
    a kernel has no links to perf events (before 5.15), tcx (6.6) or maps of sockets (6.10), --hold
    attaches in the older way for as long as it lasts. A perf event on every CPU takes a link for
    each, a static probe before Linux 6.6 one for each place: their pins are in a directory PATH.
    """
    from .link_create import create_and_keep
    from .typer_errors import unknown_option

    for word in words or []:
        if word.startswith("-") and not word[1:].isdecimal():
            raise unknown_option(word, call.typer)
    create_and_keep(call.out, words or [], pin=pin, hold=hold)


@app.command()
def pin(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="LINK PATH", help="The link, and a path on a bpffs."),
    ] = None,
) -> None:
    """Keep a link alive under a path of a bpffs."""
    from .pinning import pin_chosen

    pin_chosen(call.out, words or [], ObjectKind.LINK, "link-pin")


@app.command()
def detach(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="LINK", help="id N or pinned PATH; short: N, PATH."),
    ] = None,
) -> None:
    """Detach a link by force, whoever holds it.

    The link itself stays, attached to nothing, until its last pin and holder are gone.
    """
    from bpfctl.objects.link_detach import detach as detach_link

    with open_one(parse_selector(words or [], ObjectKind.LINK)) as fd:
        detach_link(fd)
    write_done(call.out)


@app.command()
def update(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(
            metavar="LINK PROG [old PROG] | LINK struct_ops MAP",
            help="The link, and the program it is to run.",
        ),
    ] = None,
) -> None:
    """Have a link run another program, without a moment in which none runs.

    With `old` the link must run that program until then. Links of cgroups, network devices,
    network namespaces, maps of sockets and iterators can be updated.
    """
    from bpfctl.objects.link_update import update as update_link

    from .link_create import update_ops

    link, rest = take_selector(words or [], ObjectKind.LINK)
    if rest[:1] == ["struct_ops"]:
        update_ops(call.out, link, rest[1:])
        return
    program, rest = take_selector(rest, ObjectKind.PROG)
    old = parse_selector(rest[1:], ObjectKind.PROG) if rest[:1] == ["old"] else None
    expect_end(rest if old is None else [])
    with ExitStack() as stack:
        link_fd = stack.enter_context(open_one(link))
        program_fd = stack.enter_context(open_one(program))
        expected = stack.enter_context(open_one(old)) if old else None
        update_link(link_fd, program_fd, expected)
    write_done(call.out)
