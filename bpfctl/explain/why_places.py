"""What keeps a program from running at one place where it is attached, as far as checks confirm."""

from __future__ import annotations

from bpfctl.errors import BpfctlError
from bpfctl.explain.explanation import Explanation
from bpfctl.kernel.uapi import LinkType, ProgType
from bpfctl.linux.security import active_lsms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.netlink import Interface
    from bpfctl.objects.attachments_types import Attachment
    from bpfctl.objects.prog import ProgInfo


# The field of a link's details that names its target, and is 0 once that is gone.
_IDENTITY: Final[dict[int, str]] = {
    LinkType.XDP: "ifindex",
    LinkType.TCX: "ifindex",
    LinkType.NETKIT: "ifindex",
    LinkType.CGROUP: "cgroup_id",
    LinkType.NETNS: "netns_ino",
}


def obstacle(prog: ProgInfo, place: Attachment) -> Explanation | None:
    """Return why a program cannot run at a place; None where nothing was seen."""
    if prog.type == ProgType.LSM:
        return lsm_inactive()
    if _is_detached(place):
        return Explanation(
            "link-detached",
            "what the link was attached to is gone",
            remedy="attach it anew, and let the link go",
        )
    if path := place.facts.get("path"):
        return _empty_cgroup(path)
    if index := place.facts.get("ifindex"):
        return _silent_interface(index)
    return None


def lsm_inactive() -> Explanation | None:
    """Say that no LSM program ever runs here; None where they do, or nothing tells.

    Hooks call the bpf LSM only if it is among the active ones (security/bpf/hooks.c, Linux 5.7).
    """
    lsms = active_lsms()
    if lsms is None or "bpf" in lsms:
        return None
    return Explanation(
        "lsm-inactive",
        "bpf is not among the active LSMs",
        (f"active LSMs: {','.join(lsms)}",),
        f"boot with lsm={','.join((*lsms, 'bpf'))}",
    )


def _is_detached(place: Attachment) -> bool:
    """Whether a link outlived its target: the kernel tells 0 for that then."""
    if place.link is None or place.link.details is None:
        return False
    identity = _IDENTITY.get(place.link.type)
    return identity is not None and not getattr(place.link.details, identity, 1)


def _empty_cgroup(path: str) -> Explanation | None:
    from bpfctl.linux.cgroups import cgroup2_mounts, is_populated

    for root in cgroup2_mounts():
        populated = is_populated(root.rstrip("/") + path)
        if populated is False:
            return Explanation(
                "cgroup-empty",
                f"no process is in {path} or below",
                (f"{path}/cgroup.events: populated 0",),
                f"put the process into it: echo PID > {root.rstrip('/')}{path}/cgroup.procs",
            )
        if populated:
            return None
    return None


def _silent_interface(index: int) -> Explanation | None:
    device = _interface(index)
    if device is None:
        return None
    if not device.is_up:
        return Explanation(
            "interface-down",
            f"interface {device.name} is down",
            remedy=f"ip link set {device.name} up",
        )
    if not device.has_carrier:
        return Explanation(
            "interface-no-carrier",
            f"interface {device.name} has no carrier: nothing arrives",
            remedy=f"the other side of {device.name} must be up and connected",
        )
    return None


def _interface(index: int) -> Interface | None:
    from bpfctl.kernel.netlink import interfaces

    try:
        return next((one for one in interfaces() if one.ifindex == index), None)
    except BpfctlError:
        return None
