"""Everything that runs one program: links, and what is attached in the older ways.

The kernel lists links. For the rest each place must be asked: interfaces, cgroups, perf events of
every process, maps that programs jump to. What cannot be asked is named, so that "not attached" is
never said of what was not looked at.
"""

from __future__ import annotations

from bpfctl.errors import BpfctlError
from bpfctl.kernel.uapi import ProgType
from bpfctl.objects.attachments_other import searches
from bpfctl.objects.attachments_types import Attachment, Attachments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from bpfctl.objects.prog import ProgInfo

# Where a program may be without anything that tells of it.
_MOST_NAMES: Final = 8
_LISTED_TWICE: Final = frozenset({"xdp", "cgroup"})
_NETNS: Final = "in another network namespace"
_UNSEEN: Final[dict[int, tuple[str, ...]]] = {
    ProgType.SOCKET_FILTER: ("on a socket (setsockopt SO_ATTACH_BPF)",),
    ProgType.SK_REUSEPORT: ("on a socket (setsockopt SO_ATTACH_REUSEPORT_EBPF)",),
    ProgType.SCHED_CLS: (_NETNS,),
    ProgType.SCHED_ACT: (_NETNS,),
    ProgType.XDP: (_NETNS,),
    ProgType.FLOW_DISSECTOR: ("in a network namespace, without a link",),
    ProgType.LWT_IN: ("on a route",),
    ProgType.LWT_OUT: ("on a route",),
    ProgType.LWT_XMIT: ("on a route",),
    ProgType.LWT_SEG6LOCAL: ("on a route",),
    ProgType.LIRC_MODE2: ("on an infrared device",),
}


def attachments(prog: ProgInfo) -> Attachments:
    """Find everything that runs a program.

    Raises: SyscallError where links cannot be listed (EPERM without CAP_SYS_ADMIN).
    """
    found = list(_links(prog))
    unseen = [_with_names(one) for one in _UNSEEN.get(prog.type, ())]
    linked = {(one.facts.get("ifindex"), one.facts.get("path")) for one in found}
    for search, what in searches(prog):
        try:
            found += [one for one in search(prog) if not _is_known(one, linked)]
        except (BpfctlError, OSError) as err:
            unseen.append(f"{what} (not seen: {_words(err)})")
    return Attachments(tuple(found), tuple(unseen))


def _with_names(place: str) -> str:
    """Add the network namespaces that have names, where the place is one of those."""
    if place != _NETNS:
        return place
    from bpfctl.linux.netdev import named_namespaces

    names = named_namespaces(_MOST_NAMES)
    return f"{place} (named: {', '.join(names)})" if names else place


def _words(err: Exception) -> str:
    return str(getattr(err, "strerror", "") or err).lower()


def _is_known(one: Attachment, linked: set[tuple[Any, Any]]) -> bool:
    """Whether a link was found for it already: interfaces and cgroups list those of links too."""
    if one.kind not in _LISTED_TWICE:
        return False
    place = (one.facts.get("ifindex"), one.facts.get("path"))
    return any(place) and place in linked


def _links(prog: ProgInfo) -> Iterator[Attachment]:
    from bpfctl.objects.link import links
    from bpfctl.objects.link_devices import UNKNOWN_DEVICE
    from bpfctl.objects.link_targets import Targets

    mine = [info for info in links() if info.prog_id == prog.id]
    targets = Targets(mine)
    for info in mine:
        target = targets.describe(info)
        facts: dict[str, Any] = {}
        index = getattr(info.details, "ifindex", 0)
        if index and target.facts.get("devname") != UNKNOWN_DEVICE:
            facts["ifindex"] = index
        if path := target.facts.get("cgroup_path"):
            facts["path"] = path
        yield Attachment("link", target.words, info, facts)
