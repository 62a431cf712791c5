"""Network interfaces of the current network namespace, by number and name."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_SIOCGIFFLAGS: Final = 0x8913  # include/uapi/linux/sockios.h
_IFF_UP: Final = 1
_NAME_BYTES: Final = 16
_IFREQ_BYTES: Final = 40


def interface_name(ifindex: int) -> str | None:
    """Return the name of the interface with that index here, or None without any."""
    try:
        return socket.if_indextoname(ifindex)
    except (OSError, OverflowError):
        return None


def interface_index(name: str) -> int | None:
    """Return the index of the interface with that name here, or None without any."""
    try:
        return socket.if_nametoindex(name)
    except (OSError, ValueError):
        return None


def interface_names(most: int) -> list[str]:
    """Return the names of the interfaces here, "..." behind the first `most` of them."""
    try:
        names = [name for _, name in socket.if_nameindex()]
    except OSError:
        return []
    return names if len(names) <= most else [*names[:most], "..."]


def is_up(name: str) -> bool | None:
    """Say whether an interface is up; None where that cannot be told.

    Source: SIOCGIFFLAGS, netdevice(7); the name and the flags are in struct ifreq.
    """
    import fcntl

    raw = name.encode("utf-8", "surrogateescape")
    if len(raw) >= _NAME_BYTES:
        return None
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as any_socket:
            answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, raw.ljust(_IFREQ_BYTES, b"\0"))
    except OSError:
        return None
    return bool(int.from_bytes(answer[_NAME_BYTES : _NAME_BYTES + 2], sys.byteorder) & _IFF_UP)


def named_namespaces(most: int, folder: str = "/run/netns") -> list[str]:
    """Return the names ip(8) gave network namespaces, "..." behind the first `most` of them."""
    try:
        names = sorted(one.name for one in Path(folder).iterdir())
    except OSError:
        return []
    return names if len(names) <= most else [*names[:most], "..."]
