"""Places of the network stack that a program can be attached to: plain data."""

from __future__ import annotations

from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.attach_words import attach_word
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# include/uapi/linux/netfilter.h: NFPROTO_* and NF_INET_*; links take these two families.
FAMILIES: Final = {"ipv4": 2, "ipv6": 10}
HOOKS: Final = {"prerouting": 0, "input": 1, "forward": 2, "output": 3, "postrouting": 4}
THIS_NETNS: Final = "/proc/self/ns/net"
NAMED_NETNS: Final = "/run/netns"  # where ip(8) keeps them


@plain
class Order:
    """A place among the programs of one attach point.

    `place` is "before" or "after", of the link or program `neighbour_id`, or of all without one;
    without a place the program goes last. `revision` is that of the attach point, which the kernel
    then refuses to have changed; 0: any. `preorder` programs of a cgroup run before those of its
    descendants (Linux 6.15).
    """

    place: str | None = None
    neighbour: str | None = None
    neighbour_id: int = 0
    revision: int = 0
    preorder: bool = False


LAST: Final = Order()


@plain
class Filter:
    """A side of an interface where programs are filters of tc, which no process has to hold.

    `side` is TCX_INGRESS or TCX_EGRESS. Lower priorities run first; 0: after those that are there.
    `handle` tells filters of one priority apart; 0: 1.
    """

    device: str
    side: AttachType
    priority: int = 0
    handle: int = 0

    def __str__(self) -> str:
        return f"{self.device} (tc {side_word(self.side)})"


@plain
class Netkit:
    """A side of a netkit device, by the primary's interface."""

    device: str
    attach_type: AttachType
    order: Order = LAST

    def __str__(self) -> str:
        side = "primary" if self.attach_type == AttachType.NETKIT_PRIMARY else "peer"
        return f"{self.device} (netkit {side})"


@plain
class Netns:
    """A network namespace by a file that stands for it (/proc/PID/ns/net, /run/netns/NAME)."""

    attach_type: AttachType
    path: str = THIS_NETNS

    def __str__(self) -> str:
        where = "this network namespace" if self.path == THIS_NETNS else self.path
        return f"{where} ({attach_word(self.attach_type)})"


@plain
class Netfilter:
    """A hook of netfilter in this network namespace; lower priorities run first.

    With `defrag` the kernel puts fragments together before.
    """

    family: str
    hook: str
    priority: int = 0
    defrag: bool = False

    def __str__(self) -> str:
        return f"netfilter {self.family} {self.hook}, priority {self.priority}"


@plain
class Sockmap:
    """A sockmap or sockhash, whose descriptor is the caller's to close."""

    map_fd: int
    attach_type: AttachType

    def __str__(self) -> str:
        return f"map of sockets ({attach_word(self.attach_type)})"


def side_word(side: AttachType) -> str:
    """Return "ingress" or "egress"."""
    return "ingress" if side == AttachType.TCX_INGRESS else "egress"


NetTarget = Netkit | Netns | Netfilter | Sockmap
