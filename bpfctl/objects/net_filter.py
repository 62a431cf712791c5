"""Programs as filters of tc, on both sides of an interface: what kernels before tcx have.

A filter stays until it is taken away, and keeps its program loaded. Filters are in the queueing
discipline clsact, which is made with the first of them.
"""

from __future__ import annotations

from contextlib import suppress

from bpfctl.errors import BpfctlError, NotFoundError, SyscallError, UsageError
from bpfctl.kernel import netlink_tc as tc
from bpfctl.kernel import route
from bpfctl.kernel.route import FilterPlace
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.attach_net_targets import side_word
from bpfctl.objects.attach_places import find_interface
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import id_of
from bpfctl.plain import plain, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_net_targets import Filter

PARENTS: Final = {AttachType.TCX_INGRESS: tc.INGRESS, AttachType.TCX_EGRESS: tc.EGRESS}
# A handle is any number ("bpf" in these). By them `unload` knows what a load made: a filter, or
# the clsact that it is in as well.
OF_LOAD: Final = 0x62706601
OF_LOAD_WITH_CLSACT: Final = 0x62706602
_INGRESS_ONLY: Final = "ingress"  # the older queueing discipline
_USUAL_HANDLE: Final = 1


@plain
class Placed:
    """A filter that was made, and whether its clsact was made for it."""

    place: FilterPlace
    made_clsact: bool


def attach_filter(
    prog_fd: Fd, name: str, target: Filter, *, overwrite: bool = False, marked: bool = False
) -> Placed:
    """Add a program as a filter called `name`; without a priority after those that are there.

    With `overwrite` it takes the place of the filter of that priority, or of the only one there.
    A `marked` one is known to `unload`. Whatever fails, no clsact stays that was not there.
    Raises: NotFoundError (no such interface), UsageError, SyscallError.
    """
    index, parent = find_interface(target.device), PARENTS[target.side]
    doing = f"attach to {target}"
    made = _make_clsact(index, target, doing)
    try:
        place = _place(target, FilterPlace(index, parent, 0, 0), overwrite=overwrite)
        if marked:
            place = replace(place, handle=OF_LOAD_WITH_CLSACT if made else OF_LOAD)
        route.put_filter(place, prog_fd.fileno(), name, replace=overwrite, doing=doing)
    except BaseException:
        if made:
            with suppress(SyscallError):  # what failed first is what matters
                route.remove_clsact(index, doing)
        raise
    return Placed(place, made)


def detach_filter(placed: Placed) -> None:
    """Take away a filter, and clsact where it was made for it and is empty.

    Raises: SyscallError.
    """
    place, doing = placed.place, "detach a filter of tc"
    route.take_filter(place, doing)
    if placed.made_clsact and not any(tc.priorities(place.ifindex, side) for side in tc.SIDES):
        route.remove_clsact(place.ifindex, doing)


def find_filters(target: Filter, prog_id: int = 0) -> list[tc.Filter]:
    """Return the filters that a target means, all where it names neither priority nor handle.

    Raises: NotFoundError (no such interface), SyscallError.
    """
    index, parent = find_interface(target.device), PARENTS[target.side]
    if parent not in tc.sides(_kinds(index)):
        return []
    return [
        one
        for one in tc.filters(index, parent)
        if target.priority in (0, one.priority)
        and target.handle in (0, one.handle)
        and prog_id in (0, one.prog_id)
    ]


def detach_from(target: Filter, prog_fd: Fd | None = None) -> None:
    """Take away the one filter that is meant; clsact stays.

    Raises: NotFoundError (no such interface, nothing there), UsageError (several), SyscallError.
    """
    prog_id = id_of(ObjectKind.PROG, prog_fd) if prog_fd else 0
    found = find_filters(target, prog_id)
    if not found:
        raise _none(target)
    if len(found) > 1:
        raise which(target, found, "detach")
    one = found[0]
    place = FilterPlace(one.ifindex, PARENTS[target.side], one.priority, one.handle)
    detach_filter(Placed(place, made_clsact=False))


def words(one: tc.Filter) -> str:
    """Say where a filter is among those of its side."""
    return f"priority {one.priority} handle {one.handle:#x}: program {one.prog_id} {one.name}"


def which(target: Filter, found: list[tc.Filter], verb: str) -> UsageError:
    """Make the error for words that mean several filters."""
    return UsageError(
        f"{target.device} has {len(found)} filters at {side_word(target.side)}: say which is meant",
        code="net-which",
        evidence=[words(one).rstrip() for one in found],
        remedy=f"bpfctl net {verb} tc_{side_word(target.side)} ... dev {target.device}"
        f" priority {found[0].priority} handle {found[0].handle:#x}",
    )


def _none(target: Filter) -> NotFoundError:
    others = find_filters(replace(target, priority=0, handle=0))
    return NotFoundError(
        f"no such filter of tc at {target.device} {side_word(target.side)}",
        code="net-not-attached",
        evidence=[words(one).rstrip() for one in others] or ["no program is a filter there"],
    )


def _place(target: Filter, place: FilterPlace, *, overwrite: bool) -> FilterPlace:
    """Fill in the priority and the handle. Raises: UsageError, SyscallError."""
    if overwrite and not (target.priority and target.handle):
        found = find_filters(target)
        if len(found) > 1:
            raise which(target, found, "attach")
        if found:
            return replace(place, priority=found[0].priority, handle=found[0].handle)
    behind = max(tc.priorities(place.ifindex, place.parent), default=0) + 1
    return replace(place, priority=target.priority or behind, handle=target.handle or _USUAL_HANDLE)


def _kinds(index: int) -> list[str]:
    return [one.kind for one in tc.qdiscs() if one.ifindex == index]


def _make_clsact(index: int, target: Filter, doing: str) -> bool:
    """Make what filters are in, unless it is there; say whether. Raises: BpfctlError."""
    kinds = _kinds(index)
    if route.CLSACT in kinds:
        return False
    if _INGRESS_ONLY not in kinds:
        route.add_clsact(index, doing)
        return True
    if target.side == AttachType.TCX_INGRESS:
        return False
    raise BpfctlError(
        f'{target.device} has the queueing discipline "ingress", which has no egress side',
        code="tc-ingress-only",
        evidence=[f"clsact, which has both, cannot be beside it: {doing}"],
        remedy=f"tc qdisc del dev {target.device} ingress removes it with its filters; then again",
    )
