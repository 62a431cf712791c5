"""Why a program could not be attached to a place of the network stack. Only imported then."""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError, NotFoundError, PathError, UsageError
from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import LinkType, MapType
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_targets as targets
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.link import links

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final

    from bpfctl.errors import SyscallError
    from bpfctl.kernel.attr_link import ProgQuery
    from bpfctl.objects.link import LinkInfo

_KINDS: Final = {"link": ObjectKind.LINK, "prog": ObjectKind.PROG}
_MAPS_OF_SOCKETS: Final = (MapType.SOCKMAP, MapType.SOCKHASH)
_GET_KIND: Final = 0xB703  # NS_GET_NSTYPE, include/uapi/linux/nsfs.h, Linux 4.11
_NEW_NET: Final = 0x40000000  # CLONE_NEWNET, include/uapi/linux/sched.h
_NOT_THERE: Final = frozenset({errno.ENOENT, errno.EINVAL})
# netkit_dev_fetch, drivers/net/netkit.c, Linux 6.7.
_NO_PRIMARY: Final = {
    errno.ENXIO: "is no netkit device",
    errno.EACCES: "is the peer of a netkit pair",
}


def explain_net(err: SyscallError, target: targets.Target) -> BpfctlError | None:
    """Return the error to raise instead, or None where `err` will do, with what was found out."""
    match target:
        case net.Netns():
            return _no_netns(err, target)
        case net.Sockmap():
            return _no_map_of_sockets(err, target)
        case net.Netfilter() if err.errno == errno.EBUSY:
            _taken_priority(err, target)
        case net.Netkit() if err.errno in _NO_PRIMARY:
            return UsageError(
                f"{target.device} {_NO_PRIMARY[err.errno]}",
                code="not-netkit",
                remedy="name the primary of a netkit pair: ip -d link show type netkit",
            )
        case targets.Tcx() | net.Netkit() if err.errno == errno.EEXIST:
            err.candidates.append("the program is attached there already")
        case targets.Tcx() | net.Netkit():
            return explain_order(err, target.order, lambda: _query(target))
        case _:
            return None
    return None


def explain_order(
    err: SyscallError, order: net.Order, query: Callable[[], ProgQuery]
) -> BpfctlError | None:
    """Say what is wrong with a place among the programs there; `query` gives what is there.

    Source: bpf_mprog_attach, kernel/bpf/mprog.c, Linux 6.6, and cgroup_bpf_attach, Linux 6.17:
    ESTALE is the answer to another revision than the current one, and to nothing else.
    """
    if err.errno == errno.ESTALE:
        _changed(err, order, query)
    elif order.neighbour_id and err.errno in _NOT_THERE:
        gone = no_neighbour(order)
        if gone is not None:
            return gone
        err.candidates.append(f"{order.neighbour} {order.neighbour_id} is not attached there")
    return None


def _changed(err: SyscallError, order: net.Order, query: Callable[[], ProgQuery]) -> None:
    err.message = f"what is attached there changed since revision {order.revision}"
    err.code = "attach-point-changed"
    try:
        found = query()
    except (BpfctlError, OSError):
        return
    err.evidence.append(f"its revision is {found.revision}, and {found.count} programs run there")
    err.remedy = "look at what is there, and give that revision"


def no_neighbour(order: net.Order) -> NotFoundError | None:
    """Say that there is no such link or program at all, if that is so."""
    words = f"{order.neighbour} {order.neighbour_id}"
    try:
        open_id(_KINDS[order.neighbour or "link"], order.neighbour_id).close()
    except NotFoundError:
        return NotFoundError(f"there is no {words} to be next to", code="no-such-neighbour")
    except BpfctlError:  # what cannot be looked at confirms nothing
        return None
    return None


def _query(target: targets.Tcx | net.Netkit) -> ProgQuery:
    from bpfctl.kernel.attr_link import prog_query
    from bpfctl.kernel.bpf import bpf
    from bpfctl.objects.attach_places import find_interface

    index = find_interface(target.device)
    found = prog_query(attach_type=target.attach_type, target_ifindex=index)
    bpf(found)
    return found


# --- network namespaces ---------------------------------------------------------------------------


def _no_netns(err: SyscallError, target: net.Netns) -> PathError | None:
    """Say that the file stands for none, or that the namespace runs all that it may.

    Source: netns_bpf_link_create, kernel/bpf/net_namespace.c, Linux 5.8: E2BIG where there are one
    flow dissector or 64 programs for sk_lookup.
    """
    if err.errno == errno.EINVAL and not is_netns(target.path):
        return PathError(
            "this stands for no network namespace",
            code="not-netns",
            subject=target.path,
            remedy=f"name one of {net.NAMED_NETNS} (ip netns), or /proc/PID/ns/net",
        )
    if err.errno == errno.E2BIG:
        number = inode_of(target.path)
        there = [one for one in _of_kind(LinkType.NETNS) if _is_on(one, target, number)]
        err.message = f"{target} takes no more programs"
        err.code = "netns-full"
        err.evidence += _described(there)
        err.remedy = "detach one first: bpfctl link detach id N"
    return None


def is_netns(path: str) -> bool:
    """Whether a file stands for a network namespace."""
    import fcntl
    import os

    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return fcntl.ioctl(number, _GET_KIND) == _NEW_NET
    except OSError:
        return False
    finally:
        os.close(number)


def inode_of(path: str) -> int:
    """The number of the namespace that a file stands for, 0 where it cannot be looked at."""
    import os

    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _is_on(info: LinkInfo, target: net.Netns, number: int) -> bool:
    details = info.details
    return isinstance(details, kinds.Netns) and (details.netns_ino, details.attach_type) == (
        number,
        target.attach_type,
    )


# --- maps of sockets, netfilter -------------------------------------------------------------------


def _no_map_of_sockets(err: SyscallError, target: net.Sockmap) -> UsageError | None:
    """Say that the map holds no sockets (sock_map_link_create, net/core/sock_map.c, Linux 6.10)."""
    if err.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
        return None
    from bpfctl.kernel.info import map_info

    found = map_info(target.map_fd).number("type")
    if found is None or found in _MAPS_OF_SOCKETS:
        return None
    return UsageError(
        f"the map is of type {label(MapType, found)}, and holds no sockets",
        code="not-sockmap",
        remedy="name a map of type sockmap or sockhash",
    )


def _taken_priority(err: SyscallError, target: net.Netfilter) -> None:
    """Say who has the priority: a hook runs one BPF program for each.

    Source: nf_hook_entries_grow, net/netfilter/core.c, Linux 6.4: EBUSY means that alone.
    """
    wanted = (net.FAMILIES[target.family], net.HOOKS[target.hook], target.priority)
    there = [one for one in _of_kind(LinkType.NETFILTER) if _hook_of(one) == wanted]
    err.message = f"{target} is taken: a hook runs one BPF program for each priority"
    err.code = "netfilter-priority-taken"
    err.evidence += _described(there, "there, in this network namespace or another")
    err.remedy = "give another priority, or detach that one first: bpfctl link detach id N"


def _hook_of(info: LinkInfo) -> Any:
    found = info.details
    return (found.pf, found.hook, found.priority) if isinstance(found, kinds.Netfilter) else None


def _of_kind(kind: LinkType) -> Iterator[LinkInfo]:
    """Yield the links of a kind; none where they cannot be listed."""
    try:
        yield from (one for one in links() if one.type == kind)
    except BpfctlError:
        return


def _described(found: list[LinkInfo], where: str = "there") -> Iterator[str]:
    return (f"link {one.id} has program {one.prog_id} {where}" for one in found)
