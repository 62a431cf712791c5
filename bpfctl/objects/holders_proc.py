"""Holders by /proc: the links in /proc/PID/fd, and what fdinfo says of those to BPF objects."""

from __future__ import annotations

import os

from bpfctl.linux import procs
from bpfctl.linux.fdinfo import read_fdinfo
from bpfctl.objects.holders_types import Holder, Sighting
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import kind_of_file
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Final

# What looking takes, in microseconds: at a process, at a descriptor, at one of a BPF object.
PROCESS_COST: Final = 15
DESCRIPTOR_COST: Final = 4
OBJECT_COST: Final = 13

_ID_FIELDS: Final = {
    ObjectKind.PROG: "prog_id",
    ObjectKind.MAP: "map_id",
    ObjectKind.LINK: "link_id",
    ObjectKind.BTF: "btf_id",
}


@plain
class View:
    """What /proc showed.

    `listed` processes are there, `refused` of them could not be looked into (kernel threads, which
    have no descriptors, are not counted). `own_pid` is our id in this /proc, None when it does not
    show us: then it belongs to another PID namespace. `complete` is False when we stopped early.
    """

    sightings: list[Sighting]
    listed: list[int]
    refused: int
    own_pid: int | None
    complete: bool


def look(kinds: Collection[ObjectKind], budget_us: int | None = None, proc: str = "/proc") -> View:
    """Return the descriptors of objects of some kinds, of all processes.

    With a budget we stop when looking on would take more than that many microseconds.
    Processes and descriptors that vanish meanwhile are passed over. Raises nothing.
    """
    listed = procs.process_ids(proc)
    sightings: list[Sighting] = []
    refused, spent = 0, PROCESS_COST * len(listed)
    for pid in listed:
        if budget_us is not None and spent > budget_us:
            return View(sightings, listed, refused, procs.own_id(proc), complete=False)
        opened = procs.descriptors(pid, proc)
        if opened is None:
            refused += not procs.is_kernel_thread(pid, proc)
            continue
        spent += DESCRIPTOR_COST * len(opened.targets)
        spent += OBJECT_COST * _add_objects(opened, kinds, sightings, proc)
    return View(sightings, listed, refused, procs.own_id(proc), complete=True)


def _add_objects(
    opened: procs.Descriptors,
    kinds: Collection[ObjectKind],
    sightings: list[Sighting],
    proc: str,
) -> int:
    """Add what one process holds; return how many descriptors had to be looked at."""
    looked, comm = 0, None
    for fd, target in opened.targets.items():
        kind = kind_of_file(target)
        if kind is None or kind not in kinds:
            continue
        looked += 1
        number = (read_fdinfo(opened.pid, fd, proc) or {}).get(_ID_FIELDS[kind], "")
        if number.isdecimal():
            comm = procs.command_name(opened.pid, proc) if comm is None else comm
            sightings.append(Sighting((kind, int(number)), Holder(opened.pid, comm, fd)))
    return looked


def gap(view: View) -> str | None:
    """Say in words what this view cannot show; None: it shows all."""
    if not view.listed:
        return "holders: nobody could be looked for: there is no /proc here"
    gaps = [_other_namespace(view), _hidden(view), _refused(view)]
    words = "; ".join(words for words in gaps if words)
    return f"holders: {words}" if words else None


def _other_namespace(view: View) -> str:
    if view.own_pid != os.getpid():
        return "/proc is of another PID namespace: processes are those, and numbered as, in there"
    if procs.in_first_pid_namespace() is not True:
        return "only processes of this PID namespace can be seen"
    return ""


def _hidden(view: View) -> str:
    """Every PID namespace has a process 1; without it /proc keeps processes from us."""
    return "" if 1 in view.listed else "/proc hides processes from us (hidepid)"


def _refused(view: View) -> str:
    if not view.refused:
        return ""
    count = f"{view.refused} of {len(view.listed)} processes may not be looked into"
    return count + (" (needs CAP_SYS_PTRACE)" if os.geteuid() == 0 else ": root can")
