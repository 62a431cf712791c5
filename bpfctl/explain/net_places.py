"""Places of an interface that are taken: by a filter of tc, or by a link."""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError
from bpfctl.explain.explanation import Explanation
from bpfctl.objects.attach_net_targets import Filter, Netkit, side_word
from bpfctl.objects.attach_places import find_interface
from bpfctl.objects.attach_targets import Tcx

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.failure import Failure

# What filters of tc need, by what the kernel's answer is about (net/sched/Kconfig).
_OPTIONS: Final = ("CONFIG_NET_CLS_BPF", "CONFIG_NET_SCH_INGRESS")


def filter_refused(failure: Failure) -> Explanation | None:
    """Name the filter that has the place, or what the kernel is built without."""
    target = failure.fact(Filter)
    if target is None:
        return None
    if failure.errno == errno.EEXIST:
        return _taken(target)
    if failure.errno in (errno.ENOENT, errno.EOPNOTSUPP):
        _missing(failure)
    return None


def _taken(target: Filter) -> Explanation | None:
    from bpfctl.objects.net_filter import find_filters, words

    found = find_filters(target)
    if not target.priority or not found:
        return None
    side = side_word(target.side)
    return Explanation(
        "tc-filter-taken",
        f"{target.device} has a filter of priority {target.priority} at {side} already",
        tuple(words(one).rstrip() for one in found),
        "overwrite puts the program in its place; another priority or handle adds one",
    )


def _missing(failure: Failure) -> None:
    """Say which options are off; a module that cannot be loaded answers the same."""
    for option in _OPTIONS:
        if failure.config is None:
            failure.candidates.append(f"the kernel is built without {option}")
        elif failure.config.get(option) is None:
            failure.evidence.append(f"{option} is not set")


def held_by_link(failure: Failure) -> Explanation | None:
    """Name the link that has a program at tcx or netkit: what is asked for passes links by."""
    target = failure.fact(Tcx) or failure.fact(Netkit)
    if target is None or failure.errno != errno.EBUSY:
        return None
    from bpfctl.objects.net_order import entries

    try:
        found = entries(find_interface(target.device), target.attach_type)
    except BpfctlError:
        return None
    linked = [one for one in found if one.link_id]
    if not linked:
        return None
    last = linked[-1]
    return Explanation(
        "net-held-by-link",
        f"a link holds what is at {target}",
        tuple(f"program {one.prog_id}, by link {one.link_id}" for one in linked),
        f"bpfctl link detach id {last.link_id}; to change its program: bpfctl link update",
    )
