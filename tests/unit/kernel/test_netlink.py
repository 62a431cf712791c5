from __future__ import annotations

import errno
from typing import Any, Self

import pyroute2
import pytest
from pyroute2.netlink.exceptions import NetlinkError

from bpfctl.errors import SyscallError
from bpfctl.kernel.netlink import XdpAttachment, XdpMode, xdp_attachments


class Attributes(dict[str, Any]):
    """What pyroute2 gives for an interface: fields, and attributes by `get_attr`."""

    def get_attr(self, name: str) -> Any:
        return self.get(name)


class Route:
    """Stands in for IPRoute: lists `links`, or raises one."""

    links: Any = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_links(self) -> Any:
        if isinstance(self.links, Exception):
            raise self.links
        return self.links


def interface(index: int, name: str, **xdp: int) -> Attributes:
    return Attributes(index=index, IFLA_IFNAME=name, IFLA_XDP=Attributes(xdp) if xdp else None)


def test_programs_by_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    links = [
        interface(1, "lo"),
        interface(2, "eth0", IFLA_XDP_ATTACHED=0),
        interface(3, "eth1", IFLA_XDP_ATTACHED=1, IFLA_XDP_DRV_PROG_ID=7),
        interface(4, "eth2", IFLA_XDP_ATTACHED=4, IFLA_XDP_SKB_PROG_ID=8, IFLA_XDP_HW_PROG_ID=9),
    ]
    monkeypatch.setattr(Route, "links", links)
    monkeypatch.setattr(pyroute2, "IPRoute", Route)
    assert xdp_attachments() == [
        XdpAttachment(3, "eth1", XdpMode.DRIVER, 7),
        XdpAttachment(4, "eth2", XdpMode.GENERIC, 8),
        XdpAttachment(4, "eth2", XdpMode.OFFLOAD, 9),
    ]


def test_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "links", NetlinkError(errno.EPERM, "no"))
    monkeypatch.setattr(pyroute2, "IPRoute", Route)
    with pytest.raises(SyscallError) as caught:
        xdp_attachments()
    assert (caught.value.errno, caught.value.call) == (errno.EPERM, "netlink")
