"""Where programs that are unloaded run without links: what a load made, and what it did not."""

from __future__ import annotations

from bpfctl.errors import BpfctlError
from bpfctl.kernel.route import FilterPlace
from bpfctl.kernel.uapi import ProgType
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.net_filter import OF_LOAD, OF_LOAD_WITH_CLSACT, Placed, detach_filter
from bpfctl.objects.prog import prog_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


def detach_filters(prog_ids: Collection[int]) -> list[str]:
    """Take away the filters of tc by which a load attached programs; say where they were.

    Filters that somebody else made stay, with their programs. Raises: SyscallError (EPERM without
    CAP_NET_ADMIN).
    """
    from bpfctl.objects.net_list import all_filters

    wanted = {number for number in prog_ids if _is_for_tc(number)}
    found = [one for one in all_filters() if one[2].prog_id in wanted] if wanted else []
    detached = []
    for device, kind, one in found:
        if one.handle in (OF_LOAD, OF_LOAD_WITH_CLSACT):
            place = FilterPlace(one.ifindex, one.parent, one.priority, one.handle)
            detach_filter(Placed(place, made_clsact=one.handle == OF_LOAD_WITH_CLSACT))
            detached.append(f"{device.name} {kind.removeprefix('clsact/')}, filter of tc")
    return detached


def _is_for_tc(prog_id: int) -> bool:
    try:
        with open_id(ObjectKind.PROG, prog_id) as fd:
            return prog_info(fd).type == ProgType.SCHED_CLS
    except BpfctlError:  # without CAP_SYS_ADMIN nothing is looked up by its id
        return False


def places_of(prog_id: int) -> tuple[str, ...]:
    """Say where a program runs without a link, as far as can be seen. Raises nothing."""
    from bpfctl.objects.attachments import attachments

    try:
        with open_id(ObjectKind.PROG, prog_id) as fd:
            found = attachments(prog_info(fd)).found
    except (BpfctlError, OSError):
        return ()
    return tuple(one.words for one in found if one.link is None)
