"""What rtnetlink tells of interfaces, and of XDP programs on them.

One question with a short answer: asked by hand it takes 1 ms, and importing a netlink library
more than a hundred.
Source: include/uapi/linux/netlink.h, rtnetlink.h and if_link.h, Linux 6.18.
"""

from __future__ import annotations

import struct

from bpfctl.errors import SyscallError
from bpfctl.plain import plain
from bpfctl.plain_enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from typing import Final

_NETLINK_ROUTE: Final = 0
_RTM_NEWLINK, _RTM_GETLINK, _NLMSG_ERROR, _NLMSG_DONE = 16, 18, 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP, _NLM_F_DUMP_INTR = 0x1, 0x300, 0x10
_IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_LINKINFO, _IFLA_EXT_MASK, _IFLA_XDP = 3, 4, 5, 18, 29, 43
_IFLA_INFO_KIND: Final = 1
_IFLA_LINK_NETNSID: Final = 37
_IFF_UP, _IFF_LOWER_UP = 1 << 0, 1 << 16
_RTEXT_FILTER_SKIP_STATS: Final = 1 << 3
_TYPE_MASK: Final = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER

_MESSAGE: Final = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
LINK: Final = struct.Struct("=BxHiII")  # ifinfomsg: family, device type, index, flags, change
_ATTRIBUTE: Final = struct.Struct("=HH")  # nlattr: length with these 4 bytes, type
NUMBER: Final = struct.Struct("=I")
_ERRNO: Final = struct.Struct("=i")
_ROOM: Final = 1 << 17  # the kernel fills what it is given, up to 32 KiB at once
_TRIES: Final = 10  # of a list that changes while it is read


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


@plain
class Interface:
    """An interface of the current network namespace; `mtu` is in bytes.

    `kind` is its driver's word ("veth", "bridge"), "" for what is no virtual device. `is_up` is
    what `ip link set up` sets, `has_carrier` whether the other side is there. `peer` is the index
    of the interface at the other side of a pair, or below this one; 0 for none in this namespace.
    """

    ifindex: int
    name: str
    kind: str
    mtu: int
    is_up: bool
    has_carrier: bool
    peer: int = 0
    xdp: tuple[XdpAttachment, ...] = ()


# IFLA_XDP_*_PROG_ID: the attribute in IFLA_XDP that carries the program's id, by its mode.
_PROG_ID: Final = {XdpMode.DRIVER: 5, XdpMode.GENERIC: 6, XdpMode.OFFLOAD: 7}


def xdp_attachments() -> list[XdpAttachment]:
    """List the XDP programs on the interfaces of the current network namespace.

    Raises: SyscallError when netlink refuses.
    """
    return [found for link in _listed() for found in _of_interface(link)]


def interfaces() -> list[Interface]:
    """List the interfaces of the current network namespace.

    Raises: SyscallError when netlink refuses.
    """
    return [_interface(link) for link in _listed()]


def _listed() -> list[bytes]:
    """The payload of one message for each interface. Raises: SyscallError."""
    skip = _ATTRIBUTE.pack(8, _IFLA_EXT_MASK) + NUMBER.pack(_RTEXT_FILTER_SKIP_STATS)
    body = LINK.pack(0, 0, 0, 0, 0) + skip
    return dump(_RTM_GETLINK, body, _RTM_NEWLINK, "list the network interfaces")


def dump(
    request: int, body: bytes, wanted: int, doing: str, protocol: int = _NETLINK_ROUTE
) -> list[bytes]:
    """Ask for a list; return the payloads of the messages of the wanted type.

    That is rtnetlink's, unless `protocol` is another. Raises: SyscallError.
    """
    import socket

    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    try:
        with socket.socket(socket.AF_NETLINK, kind, protocol) as route:
            return _dumped(route, request, body, wanted)
    except OSError as err:
        raise SyscallError(err.errno or 0, "netlink", doing) from err


def _dumped(route: socket.socket, request: int, body: bytes, wanted: int) -> list[bytes]:
    """Ask until the list did not change while it was read. Raises: OSError."""
    length = _MESSAGE.size + len(body)
    found: list[bytes] = []
    for sequence in range(1, _TRIES + 1):
        flags = _NLM_F_REQUEST | _NLM_F_DUMP
        route.send(_MESSAGE.pack(length, request, flags, sequence, 0) + body)
        answers = list(_answers(route, sequence))
        found = [payload for kind, _, payload in answers if kind == wanted]
        if not any(flags & _NLM_F_DUMP_INTR for _, flags, _ in answers):
            break
    return found


def _answers(route: socket.socket, sequence: int) -> Iterator[tuple[int, int, bytes]]:
    """Type, flags and payload of each message of a dump, the one that ends it included.

    Raises: OSError with the kernel's errno.
    """
    while True:
        data, (sender, _) = route.recvfrom(_ROOM)
        if sender:  # the kernel's port is 0
            continue
        for kind, flags, number, payload in _messages(data):
            if number != sequence:
                continue
            yield kind, flags, payload
            if kind in (_NLMSG_ERROR, _NLMSG_DONE):
                if code := _ERRNO.unpack_from(payload)[0]:
                    raise OSError(-code, "netlink")
                return


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, sequence number and payload of the messages in one datagram."""
    at = 0
    while at + _MESSAGE.size <= len(data):
        length, kind, flags, number, _ = _MESSAGE.unpack_from(data, at)
        yield kind, flags, number, data[at + _MESSAGE.size : at + length]
        at += max(_aligned(length), _MESSAGE.size)


def _interface(link: bytes) -> Interface:
    _, _, ifindex, flags, _ = LINK.unpack_from(link)
    fields = attributes(link[LINK.size :])
    info = attributes(fields.get(_IFLA_LINKINFO, b""))
    return Interface(
        ifindex,
        _text(fields.get(_IFLA_IFNAME, b"")),
        _text(info.get(_IFLA_INFO_KIND, b"")),
        _number(fields.get(_IFLA_MTU, b"")),
        bool(flags & _IFF_UP),
        bool(flags & _IFF_LOWER_UP),
        0 if _IFLA_LINK_NETNSID in fields else _number(fields.get(_IFLA_LINK, b"")),
        tuple(_of_interface(link)),
    )


def _number(raw: bytes) -> int:
    return int(NUMBER.unpack(raw)[0]) if len(raw) == NUMBER.size else 0


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace")


def _of_interface(link: bytes) -> Iterator[XdpAttachment]:
    """The programs that one message tells of."""
    fields = attributes(link[LINK.size :])
    xdp = attributes(fields.get(_IFLA_XDP, b""))
    name = _text(fields.get(_IFLA_IFNAME, b""))
    for mode, attribute in _PROG_ID.items():
        prog_id = _number(xdp.get(attribute, b""))
        if prog_id:
            yield XdpAttachment(LINK.unpack_from(link)[2], name, mode, prog_id)


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute of a request, at most 65,531 bytes long, with its padding."""
    data = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value
    return data.ljust(_aligned(len(data)), b"\0")


def attributes(data: bytes) -> dict[int, bytes]:
    """Return the attributes in a payload, or in another attribute, by their types."""
    found = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        found[kind & _TYPE_MASK] = data[at + _ATTRIBUTE.size : at + length]
        at += max(_aligned(length), _ATTRIBUTE.size)
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
