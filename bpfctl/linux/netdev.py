"""Network interfaces of the current network namespace, by number and name."""

from __future__ import annotations

import socket


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
