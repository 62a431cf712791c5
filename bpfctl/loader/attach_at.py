"""Programs whose sections say at what kind of place they run, and not at which."""

from __future__ import annotations

from bpfctl.elf.section_def import AttachKind
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_targets as targets
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.elf.sections import SectionName
    from bpfctl.objects.attach_targets import Target

_OF_CGROUPS: Final = frozenset({AttachKind.CGROUP, AttachKind.LSM_CGROUP})


@plain
class Places:
    """An interface by its name, and a cgroup by its directory; None: nobody said which."""

    device: str | None = None
    cgroup: str | None = None


NOWHERE: Final = Places()


def place_target(section: SectionName, places: Places) -> Target | None:
    """What a program is attached to at one of the places; None where none is for it.

    Programs for tc need a section that says from which side packets come.
    """
    side = section.attach_type
    if section.kind in _OF_CGROUPS and side is not None and places.cgroup is not None:
        return targets.Cgroup(places.cgroup, side)
    if places.device is None:
        return None
    if section.kind is AttachKind.XDP:
        return targets.Xdp(places.device)
    if section.kind is AttachKind.TCX and side is not None:
        return targets.Tcx(places.device, side)
    if section.kind is AttachKind.NETKIT and side is not None:
        return net.Netkit(places.device, side)
    return None
