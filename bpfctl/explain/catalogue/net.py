"""Programs at interfaces without links, and what is in their way."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    Entry(
        "tc-filter-taken",
        "a filter of that priority and handle is there already",
        "Filters of tc run in the order of their priorities, the lowest first. Among those of one"
        " priority each has a handle of its own, and no two filters have both in common.",
        "The kernel answers EEXIST, and rtnetlink lists the filter with its program.",
        "`overwrite` puts the program in the place of the filter; without a priority a filter goes"
        " behind those that are there.",
        "Any kernel.",
    ),
    Entry(
        "tc-filter-there",
        "the program is a filter of that side already",
        "tc takes a program several times, which then runs several times for each packet. That is"
        " hardly ever meant, so `net attach` refuses it where no priority was given.",
        "rtnetlink lists the filters of that side with the ids of their programs.",
        "Leave it at that; `priority N` adds it once more.",
        "Any kernel.",
    ),
    Entry(
        "tc-ingress-only",
        "the interface has the older queueing discipline, which has no egress side",
        "Filters of both sides are in the queueing discipline clsact (Linux 4.5). An interface with"
        " the older one, ingress, takes filters for what arrives only, and no clsact beside it.",
        "rtnetlink lists ingress among the queueing disciplines of the interface.",
        "`tc qdisc del dev NAME ingress` removes it, with the filters that are in it; then `net"
        " attach` makes clsact.",
        "Any kernel.",
    ),
    Entry(
        "net-held-by-link",
        "a link holds the program",
        "What a link attached can be detached or replaced through the link alone: `net detach` and"
        " `net attach ... overwrite` are for programs without one.",
        "The kernel answers EBUSY, and lists the programs there with the ids of their links.",
        "`bpfctl link detach id N`, `bpfctl link update`, or unpin the link.",
        "tcx is there since Linux 6.6, netkit since 6.7.",
    ),
    Entry(
        "net-which",
        "several programs are there, and the words mean all of them",
        "An interface has one XDP program in each mode, many filters of tc on each side, and many"
        " programs at tcx. Where there are several, bpfctl does not choose.",
        "The kernel lists what is there.",
        "Name the mode (`xdpgeneric`), the program, or priority and handle; `net show dev NAME`"
        " lists them.",
        "Any kernel.",
    ),
    Entry(
        "net-not-attached",
        "nothing of that kind is attached to the interface",
        "There is no program of that mode, no such filter, or the program is not among those that"
        " are there.",
        "The kernel lists what is there, or answers ENOENT.",
        "`bpfctl net show dev NAME` lists what is attached.",
        "Any kernel.",
    ),
    Entry(
        "net-other-program",
        "the interface runs another program than the one that was to go",
        "`replace PROG`, and `net detach xdp PROG`, want that program to be there until then."
        " Somebody has replaced it or taken it away.",
        "The kernel refuses, and rtnetlink tells the id of the program that is there.",
        "Look with `bpfctl net show dev NAME`; `overwrite` replaces whatever is there.",
        "Linux 5.7.",
    ),
)
