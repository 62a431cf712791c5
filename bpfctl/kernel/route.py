"""Changes by rtnetlink: XDP programs on interfaces, BPF filters of tc.

What is attached so belongs to its interface: no process has to stay. The library that writes the
messages takes a tenth of a second to import, so it is imported by the first change.
Source: include/uapi/linux/if_link.h (IFLA_XDP) and pkt_cls.h (TCA_BPF), Linux 4.8 and 4.4.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from bpfctl.errors import SyscallError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

CLSACT: Final = "clsact"
_NO_PROGRAM: Final = -1


@plain
class FilterPlace:
    """Where a filter is: `parent` is a side of clsact, lower priorities run first."""

    ifindex: int
    parent: int
    priority: int
    handle: int


def set_xdp(
    ifindex: int, prog_fd: int | None, *, flags: int, expected_fd: int | None, doing: str
) -> None:
    """Put an XDP program on an interface; None takes away what is there.

    `flags` are XdpFlags; with `expected_fd` the program there must be that one (Linux 5.7).
    Raises: SyscallError.
    """
    attrs = [
        ("IFLA_XDP_FD", _NO_PROGRAM if prog_fd is None else prog_fd),
        ("IFLA_XDP_FLAGS", flags),
    ]
    if expected_fd is not None:
        attrs.append(("IFLA_XDP_EXPECTED_FD", expected_fd))
    with _route(doing) as route:
        route.link("set", index=ifindex, IFLA_XDP={"attrs": attrs})


def put_filter(place: FilterPlace, prog_fd: int, name: str, *, replace: bool, doing: str) -> None:
    """Add a program as a filter whose result is what becomes of the packet (direct action).

    With `replace` the filter of that place, if there is one, gets the program. Raises: SyscallError
    (EEXIST: the place is taken).
    """
    words = {"fd": prog_fd, "name": name, "direct_action": True}
    with _route(doing) as route:
        route.tc("replace-filter" if replace else "add-filter", "bpf", **_place(place), **words)


def take_filter(place: FilterPlace, doing: str) -> None:
    """Remove a filter. Raises: SyscallError (ENOENT: there is none)."""
    with _route(doing) as route:
        route.tc("del-filter", "bpf", **_place(place))


def add_clsact(ifindex: int, doing: str) -> None:
    """Add the queueing discipline that filters of both sides are in. Raises: SyscallError."""
    with _route(doing) as route:
        route.tc("add", CLSACT, ifindex)


def remove_clsact(ifindex: int, doing: str) -> None:
    """Remove it, with all filters in it. Raises: SyscallError."""
    with _route(doing) as route:
        route.tc("del", CLSACT, ifindex)


def _place(place: FilterPlace) -> dict[str, int]:
    return {
        "index": place.ifindex,
        "handle": place.handle,
        "parent": place.parent,
        "prio": place.priority,
    }


@contextmanager
def _route(doing: str) -> Iterator[Any]:
    """Open a connection; a refusal carries the kernel's own words where it has some."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute(ext_ack=True) as route:
            yield route
    except NetlinkError as err:
        words = str(err.args[1]) if len(err.args) > 1 else ""
        said = [f'the kernel says: "{words}"'] if words not in ("", os.strerror(err.code)) else []
        raise SyscallError(err.code, "netlink", doing, evidence=said) from err
    except OSError as err:
        raise SyscallError(err.errno or 0, "netlink", doing) from err
