"""A trace event that runs the program already."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from bpfctl.explain.explanation import Explanation
from bpfctl.kernel.uapi import LinkType
from bpfctl.objects.attach_targets import Tracepoint
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.link_probes import PerfTracepoint
from bpfctl.objects.prog import ProgInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.explain.failure import Failure
    from bpfctl.objects.link import LinkInfo

CODE: Final = "attached-there-already"


def already(failure: Failure) -> Explanation | None:
    """Find the link, or the process with an event, that has the program there already.

    All programs of a trace event are in one list, and none is in it twice (bpf_prog_array_copy,
    kernel/bpf/core.c, Linux 4.15).
    """
    info = failure.fact(ProgInfo)
    target = failure.fact(Tracepoint)
    if failure.errno != errno.EEXIST or info is None or target is None:
        return None
    found = [*_links(info.id, target), *_events(info)]
    what = f"program {info.id} {info.name}".rstrip()
    if not found:
        failure.candidates.append(f"{what} runs there already (check: bpfctl link show)")
        return None
    return Explanation(
        CODE,
        f"{what} is attached to {target} already",
        tuple(found),
        "one is enough: it runs for all processes; or load the program once more, and attach that",
    )


def _links(prog_id: int, target: Tracepoint) -> Iterator[str]:
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


def _is_there(link: LinkInfo, target: Tracepoint) -> bool:
    """Whether a link is on the event, as far as the kernel tells (Linux 6.6)."""
    if link.type != LinkType.PERF_EVENT:
        return False
    if isinstance(link.details, PerfTracepoint):
        return link.details.name == target.name
    return link.details is None


def _events(info: ProgInfo) -> Iterator[str]:
    """Tell of the perf events with the program, and whose they are."""
    from bpfctl.objects.attachments_other import event_attachments

    for one in event_attachments(info):
        yield f"it runs on {one.words}"
