"""`bpfctl net`: programs on the network, with and without links."""

from __future__ import annotations

from .declare import Argument, Noun
from .net_words import ATTACH_FORM, DETACH_FORM, PLACES, TYPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    from .declare import Call

app = Noun("Attach programs to interfaces without links; show what the network runs.")


@app.command()
def show(
    call: Call,
    words: Annotated[
        list[str] | None,
        Argument(metavar="[dev NAME]", help="As in bpftool: one interface, or all."),
    ] = None,
) -> None:
    """Show the programs of this network namespace: XDP, tcx, netkit, tc, netfilter and the rest.

    They are there by a link, or without one: by netlink, as filters of tc, or at tcx. The keys of
    JSON are bpftool's, in the same sections. Netfilter links are those of all network namespaces,
    for the kernel does not tell.
    """
    from .net_show import show_net
    from .net_words import parse_device

    show_net(call.out, parse_device(words or []))


@app.command()
def attach(
    call: Call,
    words: Annotated[
        list[str] | None, Argument(metavar=ATTACH_FORM, help=f"ATTACH_TYPE: {TYPES}. {PLACES}")
    ] = None,
) -> None:
    """Attach a program to an interface, where it stays until it is detached.

    No process has to hold it and no pin is needed: it goes with `net detach`, or with the
    interface. xdp lets the kernel choose the mode; tc_ingress and tc_egress make a filter of tc
    (direct action), which kernels before tcx (6.6) have too, in clsact, which is made where it is
    not there. A program that is there already is replaced only on demand: by `overwrite` whatever
    it is, by `replace PROG` that one alone. Whatever fails, nothing stays.
    """
    from .net_attach import attach_words

    attach_words(call.out, words or [])


@app.command()
def detach(
    call: Call,
    words: Annotated[
        list[str] | None, Argument(metavar=DETACH_FORM, help=f"ATTACH_TYPE: {TYPES}.")
    ] = None,
) -> None:
    """Detach a program from an interface.

    xdp means the program of whatever mode it is in. PROG names the one that is meant: of tcx and
    netkit the last goes without it, of several filters of tc one has to be named, by the program or
    by priority and handle. What a link holds is detached by `link detach`. The clsact of a filter
    stays, as with tc.
    """
    from .net_attach import detach_words

    detach_words(call.out, words or [])
