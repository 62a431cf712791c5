"""Programs that do not get to an interface."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    Entry(
        "xdp-busy",
        "the interface runs an XDP program already",
        "An interface runs one XDP program in each mode. It may be there by a link, which lasts as"
        " long as somebody holds or pins it, or by netlink (`bpfctl net attach xdp`, `ip link set"
        " dev NAME xdp ...`), where it stays until it is taken away or the interface goes. A link"
        " never takes the place of either, and netlink never that of a link.",
        "It asks rtnetlink for the program, its mode, and looks for the link that holds it, the"
        " pins of the link and the processes that have it open.",
        "Detach what is there: the remedy names the command for a link or for netlink. To change"
        " the program of a link use `bpfctl link update`, that of netlink `bpfctl net attach ..."
        " overwrite`. Several programs on one interface need a"
        " dispatcher (libxdp), or tcx.",
        "XDP links are there since Linux 5.9.",
    ),
    Entry(
        "xdp-modes-mixed",
        "the interface runs an XDP program in another mode",
        "Driver mode and generic mode cannot be in use at the same time. Without a mode the kernel"
        " chooses driver mode where the driver has it, whatever is there.",
        "The kernel answers EEXIST, and rtnetlink tells the mode of the program that is there.",
        "Detach the program that is there; the remedy names the command.",
        "Any kernel.",
    ),
    Entry(
        "xdp-mode",
        "the driver of the interface does not have that mode of XDP",
        "In driver mode the driver runs the program before it makes a packet of its buffer, in"
        " offload mode the network card does. Many drivers have neither; loopback interfaces"
        " do not. Generic mode works with all of them, later and more slowly.",
        "It asks the kernel what XDP features the driver has (netlink, family netdev). Kernels that"
        " do not tell that give only a candidate.",
        "Use generic mode (`xdp generic dev NAME`), or attach to another interface.",
        "The features are told since Linux 6.3.",
    ),
    Entry(
        "xdp-mtu",
        "the MTU is too large for an XDP program without fragments",
        "Without fragments a packet must fit into one page of memory, with some room before and"
        " behind it: 3,500 bytes are about the most. Of a veth pair the MTU of the other side"
        " counts, for that is where its packets come from.",
        "The interface is a veth, whose driver answers ERANGE for nothing else.",
        "Lower the MTU, or write the program for fragments and put it in section `xdp.frags`.",
        "`xdp.frags` is there since Linux 5.18.",
    ),
    Entry(
        "no-such-interface",
        "there is no interface of that name in this network namespace",
        "Every network namespace, and so every container, has interfaces of its own. A command"
        " sees those of the namespace it runs in.",
        "The kernel has no index for the name.",
        "`ip -brief link` lists the interfaces; `ip netns exec NAME bpfctl ...` runs the command in"
        " a named namespace, `nsenter -n -t PID` in that of a process.",
        "Any kernel.",
    ),
)
