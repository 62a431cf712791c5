"""Interfaces that links are on. The kernel tells an index, which every network namespace has."""

from __future__ import annotations

import errno
from array import array

from bpfctl.errors import BpfctlError
from bpfctl.kernel.attr_link import prog_query
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.uapi import AttachType, LinkType
from bpfctl.linux.netdev import interface_name
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.netlink import XdpAttachment
    from bpfctl.objects.link import LinkInfo
    from bpfctl.objects.link_kinds import Device

# An interface takes 64 programs a direction (BPF_MPROG_MAX, include/linux/bpf_mprog.h, Linux 6.6).
_MOST_PROGRAMS: Final = 64
UNKNOWN_DEVICE: Final = "(unknown)"  # bpftool's word
_SIDES: Final[dict[int | None, str]] = {
    AttachType.TCX_INGRESS: "ingress",
    AttachType.TCX_EGRESS: "egress",
    AttachType.NETKIT_PRIMARY: "primary",
    AttachType.NETKIT_PEER: "peer",
}


@plain
class Place:
    """Where a link is: `name` is None unless the interface is one of this network namespace."""

    words: str
    name: str | None = None
    mode: str | None = None

    def facts(self) -> dict[str, object]:
        """Return bpftool's key "devname", and ours: "mode" of XDP ("driver", "generic")."""
        fields: dict[str, object] = {"devname": self.name or UNKNOWN_DEVICE}
        return fields | ({"mode": self.mode} if self.mode else {})


class Devices:
    """Finds the interfaces of links, asking netlink once."""

    def __init__(self) -> None:
        self._xdp: list[XdpAttachment] | None = None
        self._asked = False

    def place(self, info: LinkInfo, device: Device) -> Place:
        """Say where an XDP, tcx or netkit link is. Raises nothing."""
        side = _SIDES.get(device.attach_type, "")
        if not device.ifindex:
            return Place(f"detached (was {side})" if side else "detached", "(detached)")
        if info.type == LinkType.XDP:
            return self._xdp_place(info, device)
        here = _holds(info, device)
        name = interface_name(device.ifindex) if here else None
        if name is None:
            return Place(_elsewhere(device, side, is_known=here is not None))
        return Place(f"{name} {side} (ifindex {device.ifindex})", name)

    def _xdp_place(self, info: LinkInfo, device: Device) -> Place:
        for found in self._attachments():
            if found.ifindex == device.ifindex and found.prog_id == info.prog_id:
                mode = found.mode.name.lower()
                return Place(
                    f"{found.name} (ifindex {device.ifindex}, {mode} mode)", found.name, mode
                )
        return Place(_elsewhere(device, "", is_known=self._xdp is not None))

    def _attachments(self) -> list[XdpAttachment]:
        """Return the XDP programs of this network namespace; none where we may not ask."""
        if not self._asked:
            from bpfctl.kernel.netlink import xdp_attachments

            self._asked = True
            try:
                self._xdp = xdp_attachments()
            except (BpfctlError, OSError):
                self._xdp = None
        return self._xdp or []


def _elsewhere(device: Device, side: str, *, is_known: bool) -> str:
    """Word an interface without its name; say that it is not ours only if that was seen."""
    where = "in another network namespace" if is_known else "network namespace unknown"
    return f"ifindex {device.ifindex} {side}".rstrip() + f" ({where})"


def _holds(info: LinkInfo, device: Device) -> bool | None:
    """Ask the interface of that index here whether it runs this link; None for no answer."""
    size = 4 * _MOST_PROGRAMS
    link_ids = bytearray(size)
    query = prog_query(
        attach_type=device.attach_type or 0,
        target_ifindex=device.ifindex,
        prog_ids=bytearray(size),
        link_ids=link_ids,
    )
    result = try_bpf(query)
    if result < 0:
        return False if result in (-errno.ENODEV, -errno.ENOENT) else None
    numbers: array[int] = array("I")
    numbers.frombytes(bytes(link_ids))
    return info.id in numbers[: query.count]
