"""A program that is attached to a place already, where it can be only once."""

from __future__ import annotations

import errno

from bpfctl.explain.explanation import Explanation
from bpfctl.kernel.uapi import LinkType
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects.attach_net_targets import Netkit
from bpfctl.objects.attach_places import find_interface
from bpfctl.objects.attach_targets import Loaded, RawTracepoint, Tcx, Tracepoint
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.link_probes import PerfTracepoint
from bpfctl.objects.prog import ProgInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.explain.failure import Failure
    from bpfctl.objects.link import LinkInfo

    Place = Tracepoint | RawTracepoint | Loaded | Tcx | Netkit

CODE: Final = "attached-there-already"
# Before Linux 5.13 a program that has been attached knows its function no more: ENOENT.
_OF_FUNCTIONS: Final = frozenset({errno.EBUSY, errno.ENOENT})
_OF_OTHERS: Final = frozenset({errno.EEXIST})
_PLACES: Final = (Tracepoint, RawTracepoint, Loaded, Tcx, Netkit)


def already(failure: Failure) -> Explanation | None:
    """Find the link, or the process with an event, that has the program there already.

    Sources: bpf_prog_array_copy(), kernel/bpf/core.c (trace events, EEXIST, Linux 4.15);
    bpf_trampoline_link_prog(), kernel/bpf/trampoline.c (functions, EBUSY, 5.5); bpf_mprog_attach(),
    kernel/bpf/mprog.c (tcx and netkit, EEXIST, 6.6).
    """
    info, target = failure.fact(ProgInfo), _target(failure)
    if info is None or target is None:
        return None
    if failure.errno not in (_OF_FUNCTIONS if isinstance(target, Loaded) else _OF_OTHERS):
        return None
    found = [*_links(info.id, target)]
    if not found and isinstance(target, Tracepoint):
        found = [*_events(info)]
    if not found and isinstance(target, Tcx | Netkit):
        found = [*_without_link(info.id, target)]
    if not found:
        failure.candidates.append("the program runs there already (check: bpfctl link show)")
        return None
    return Explanation(
        CODE,
        f"it is attached to {target} already",
        tuple(found),
        "leave it at that, or end who has it there; or load the program once more, and attach that",
    )


def _target(failure: Failure) -> Place | None:
    found = (failure.fact(kind) for kind in _PLACES)
    return next((one for one in found if isinstance(one, _PLACES)), None)


def _links(prog_id: int, target: Place) -> Iterator[str]:
    """Tell of the links that have the program there, with their pins and holders."""
    from bpfctl.objects.holders import holders
    from bpfctl.objects.link import links
    from bpfctl.objects.pin import pins

    numbers = [one.id for one in links() if one.prog_id == prog_id and _is_there(one, target)]
    wanted = {(ObjectKind.LINK, number) for number in numbers}
    held, pinned = holders(wanted, include_self=True), pins() if numbers else {}
    for number in numbers:
        key = (ObjectKind.LINK, number)
        who = [f"pinned at {path}" for path in pinned.get(key, ())]
        who += [f"held by {holder}" for holder in held.by.get(key, ())]
        yield f"link {number} has it there{''.join(f', {words}' for words in who)}"


def _is_there(link: LinkInfo, target: Place) -> bool:
    """Whether a link of the program is on the place, as far as the kernel tells."""
    details = link.details
    match target:
        case Tracepoint(name=name):  # of which event it is, is told since Linux 6.6
            known = not isinstance(details, PerfTracepoint) or details.name == name
            return link.type == LinkType.PERF_EVENT and known
        case RawTracepoint(name=name):
            return isinstance(details, kinds.RawTracepoint) and details.name == name
        case Loaded():
            return link.type == LinkType.TRACING
        case Tcx() | Netkit():
            return (
                link.type in (LinkType.TCX, LinkType.NETKIT)
                and isinstance(details, kinds.Device)
                and (details.ifindex, details.attach_type)
                == (find_interface(target.device), target.attach_type)
            )


def _without_link(prog_id: int, target: Tcx | Netkit) -> Iterator[str]:
    """Tell of a program that was attached without a link."""
    from bpfctl.objects.net_order import entries

    there = entries(find_interface(target.device), target.attach_type)
    if prog_id in [one.prog_id for one in there]:
        yield f"program {prog_id} is there without a link: bpfctl net show dev {target.device}"


def _events(info: ProgInfo) -> Iterator[str]:
    """Tell of the perf events with the program, and whose they are."""
    from bpfctl.objects.attachments_other import event_attachments

    for one in event_attachments(info):
        yield f"it runs on {one.words}"
