"""What rtnetlink tells of XDP programs on interfaces."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from bpfctl.errors import SyscallError
from bpfctl.plain import plain


class XdpMode(IntEnum):
    """How packets reach an XDP program (XDP_ATTACHED_*, include/uapi/linux/if_link.h)."""

    NONE = 0
    DRIVER = 1
    GENERIC = 2
    OFFLOAD = 3
    MULTI = 4


@plain
class XdpAttachment:
    """One program on one interface of the current network namespace."""

    ifindex: int
    name: str
    mode: XdpMode
    prog_id: int


# Attribute that carries the program's id, by the mode it is attached in.
_PROG_ID = {
    XdpMode.DRIVER: "IFLA_XDP_DRV_PROG_ID",
    XdpMode.GENERIC: "IFLA_XDP_SKB_PROG_ID",
    XdpMode.OFFLOAD: "IFLA_XDP_HW_PROG_ID",
}


def xdp_attachments() -> list[XdpAttachment]:
    """List the XDP programs on the interfaces of the current network namespace.

    Raises: SyscallError when netlink refuses.
    """
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute() as route:
            return [found for link in route.get_links() for found in _of_interface(link)]
    except NetlinkError as err:
        raise SyscallError(err.code, "netlink", "list the network interfaces") from err


def _of_interface(link: Any) -> list[XdpAttachment]:
    xdp = link.get_attr("IFLA_XDP")
    if xdp is None:
        return []
    name = str(link.get_attr("IFLA_IFNAME"))
    found = []
    for mode, attribute in _PROG_ID.items():
        prog_id = xdp.get_attr(attribute)
        if prog_id:
            found.append(XdpAttachment(int(link["index"]), name, mode, int(prog_id)))
    return found
