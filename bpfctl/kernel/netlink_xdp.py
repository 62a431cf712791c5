"""What drivers can do with XDP, as the kernel lists it.

Source: include/uapi/linux/genetlink.h and netdev.h (NETDEV_CMD_DEV_GET), Linux 6.3.
"""

from __future__ import annotations

import struct

from bpfctl.errors import SyscallError
from bpfctl.kernel.netlink import attributes, dump
from bpfctl.plain_enum import IntFlag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_NETLINK_GENERIC: Final = 16
_CONTROL, _GETFAMILY, _FAMILY_ID, _FAMILY_NAME = 16, 3, 1, 2
_DEV_GET, _IFINDEX, _FEATURES = 1, 1, 3
_HEADER: Final = struct.Struct("=BBH")  # genlmsghdr: command, version, reserved
_U64: Final = struct.Struct("=Q")
_DOING: Final = "ask what drivers can do with XDP"


class XdpFeatures(IntFlag):
    """NETDEV_XDP_ACT_*: what an interface's driver can do."""

    BASIC = 1
    REDIRECT = 2
    NDO_XMIT = 4
    XSK_ZEROCOPY = 8
    HW_OFFLOAD = 16
    RX_SG = 32
    NDO_XMIT_SG = 64


def xdp_features(ifindex: int) -> XdpFeatures | None:
    """Return what an interface's driver can do; None where the kernel does not tell (before 6.3).

    Generic mode needs nothing of the driver. Raises nothing.
    """
    try:
        family = _family()
        listed = dump(family, _HEADER.pack(_DEV_GET, 1, 0), family, _DOING, _NETLINK_GENERIC)
    except SyscallError:
        return None
    for one in listed:
        fields = attributes(one[_HEADER.size :])
        if fields.get(_IFINDEX) == struct.pack("=I", ifindex) and _FEATURES in fields:
            return XdpFeatures(_U64.unpack(fields[_FEATURES])[0])
    return None


def _family() -> int:
    """Return the number that the kernel gave the family "netdev". Raises: SyscallError."""
    listed = dump(_CONTROL, _HEADER.pack(_GETFAMILY, 1, 0), _CONTROL, _DOING, _NETLINK_GENERIC)
    for one in listed:
        fields = attributes(one[_HEADER.size :])
        if fields.get(_FAMILY_NAME) == b"netdev\0":
            return int.from_bytes(fields[_FAMILY_ID], "little")
    raise SyscallError(2, "netlink", _DOING)
