"""What drivers can do with XDP, as the kernel lists it.

Source: include/uapi/linux/genetlink.h and netdev.h (NETDEV_CMD_DEV_GET), Linux 6.3; what is told of
packets that arrive and leave with them, 6.8, their launch time 6.15.
"""

from __future__ import annotations

import struct

from bpfctl.errors import SyscallError
from bpfctl.kernel.netlink import NUMBER, attributes, dump
from bpfctl.plain import plain
from bpfctl.plain_enum import IntFlag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_NETLINK_GENERIC: Final = 16
_CONTROL, _GETFAMILY, _FAMILY_ID, _FAMILY_NAME = 16, 3, 1, 2
_DEV_GET, _IFINDEX, _FEATURES, _ZC_MAX_SEGS, _RX_METADATA, _XSK = 1, 1, 3, 4, 5, 6
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


XDP: Final[dict[str, int]] = {
    "driver_mode": XdpFeatures.BASIC,
    "redirect": XdpFeatures.REDIRECT,
    "redirect_target": XdpFeatures.NDO_XMIT,
    "xsk_zerocopy": XdpFeatures.XSK_ZEROCOPY,
    "offload": XdpFeatures.HW_OFFLOAD,
    "fragments": XdpFeatures.RX_SG,
    "redirect_target_fragments": XdpFeatures.NDO_XMIT_SG,
}
"""Words for what a driver can do, with the flag of each."""
RX_METADATA: Final = {"rx_timestamp": 1, "rx_hash": 2, "rx_vlan_tag": 4}
"""What a program can ask of a packet that arrives (enum netdev_xdp_rx_metadata)."""
XSK: Final = {"tx_timestamp": 1, "tx_checksum": 2, "tx_launch_time": 4}
"""What AF_XDP can ask for a packet that leaves (enum netdev_xsk_flags)."""


@plain
class XdpDevice:
    """What is told of one interface; None where this kernel does not tell that."""

    features: XdpFeatures
    zerocopy_segments: int | None = None
    rx_metadata: int | None = None
    xsk: int | None = None


def xdp_features(ifindex: int) -> XdpFeatures | None:
    """Return what an interface's driver can do; None where the kernel does not tell (before 6.3).

    Generic mode needs nothing of the driver. Raises nothing.
    """
    told = xdp_device(ifindex)
    return told.features if told else None


def xdp_device(ifindex: int) -> XdpDevice | None:
    """Return all that is told of an interface; None where nothing is. Raises nothing."""
    try:
        family = _family()
        listed = dump(family, _HEADER.pack(_DEV_GET, 1, 0), family, _DOING, _NETLINK_GENERIC)
    except SyscallError:
        return None
    for one in listed:
        fields = attributes(one[_HEADER.size :])
        features = _flags(fields, _FEATURES)
        if fields.get(_IFINDEX) == struct.pack("=I", ifindex) and features is not None:
            segments = fields.get(_ZC_MAX_SEGS, b"")
            return XdpDevice(
                XdpFeatures(features),
                int(NUMBER.unpack(segments)[0]) if len(segments) == NUMBER.size else None,
                _flags(fields, _RX_METADATA),
                _flags(fields, _XSK),
            )
    return None


def _flags(fields: dict[int, bytes], kind: int) -> int | None:
    value = fields.get(kind, b"")
    return int(_U64.unpack(value)[0]) if len(value) == _U64.size else None


def _family() -> int:
    """Return the number that the kernel gave the family "netdev". Raises: SyscallError."""
    listed = dump(_CONTROL, _HEADER.pack(_GETFAMILY, 1, 0), _CONTROL, _DOING, _NETLINK_GENERIC)
    for one in listed:
        fields = attributes(one[_HEADER.size :])
        if fields.get(_FAMILY_NAME) == b"netdev\0":
            return int.from_bytes(fields[_FAMILY_ID], "little")
    raise SyscallError(2, "netlink", _DOING)
