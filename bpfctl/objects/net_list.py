"""What is attached to the network: XDP, tcx, netkit, filters of tc, flow dissector, netfilter.

Links and what has none are listed alike, for this network namespace; of netfilter links the kernel
does not tell the namespace.
"""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError, NotFoundError, SyscallError
from bpfctl.kernel import netlink_tc as tc
from bpfctl.kernel.attr_link import prog_query
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.netlink import XdpMode, interfaces
from bpfctl.kernel.uapi import AttachType, LinkType
from bpfctl.objects.attach_net_targets import THIS_NETNS
from bpfctl.objects.attach_places import find_interface
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.objects.net_order import Entry, entries
from bpfctl.plain import field, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from bpfctl.kernel.netlink import Interface
    from bpfctl.objects.link import LinkInfo

_TCX: Final = {AttachType.TCX_INGRESS: "tcx/ingress", AttachType.TCX_EGRESS: "tcx/egress"}
_NETKIT: Final = {
    AttachType.NETKIT_PRIMARY: "netkit/primary",
    AttachType.NETKIT_PEER: "netkit/peer",
}
_DENIED: Final = frozenset({errno.EPERM, errno.EACCES})
_LACKING: Final = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
_SIDED: Final = frozenset({"clsact", "ingress"})  # they have filters at sides, not at the handle
NO_LINKS: Final = "links could not be listed: that takes CAP_SYS_ADMIN"
NO_NAMES: Final = "the names of programs could not be read: that takes CAP_SYS_ADMIN"
NO_TCX: Final = "tcx and netkit could not be asked: that takes CAP_NET_ADMIN"


@plain
class NetEntry:
    """One program at one place. `section` is bpftool's: "xdp", "tc", "flow_dissector", "netfilter".

    `kind` is what sort of place it is ("driver", "tcx/ingress", "clsact/egress"), `by` what keeps
    it there; `fields` are the further ones by bpftool's keys.
    """

    section: str
    kind: str
    prog_id: int
    by: str
    device: str = ""
    ifindex: int = 0
    fields: dict[str, Any] = field(default_factory=dict)


@plain
class NetReport:
    """What is attached, the names of programs by id, and what could not be found out."""

    entries: tuple[NetEntry, ...]
    names: dict[int, str]
    notes: tuple[str, ...] = ()


def net_report(device: str | None = None) -> NetReport:
    """List what is attached to this network namespace, or to one of its interfaces.

    Raises: NotFoundError (no such interface), SyscallError when netlink refuses.
    """
    index = find_interface(device) if device else 0
    devices = [one for one in interfaces() if index in (0, one.ifindex)]
    notes: list[str] = []
    links = _links(notes)
    found = [entry for one in devices for entry in _xdp(one, links)]
    filters = [_filter(*one) for one in all_filters(index)]
    for one in devices:
        found += _ordered(one, notes)
        found += [entry for entry in filters if entry.ifindex == one.ifindex]
    found += _flow_dissector(notes)
    found += _netfilter(links or [])
    names = _names({one.prog_id for one in found if one.prog_id}, notes)
    return NetReport(tuple(found), names, tuple(dict.fromkeys(notes)))


def _links(notes: list[str]) -> list[LinkInfo] | None:
    """List all links; None, and a note, for who may not."""
    from bpfctl.objects.link import links

    try:
        return list(links())
    except SyscallError as err:
        if err.errno != errno.EPERM:
            raise
        notes.append(NO_LINKS)
        return None


def _xdp(device: Interface, links: list[LinkInfo] | None) -> Iterator[NetEntry]:
    for one in device.xdp:
        link_id = next(
            (
                info.id
                for info in links or ()
                if info.type == LinkType.XDP
                and (info.prog_id, getattr(info.details, "ifindex", 0))
                == (one.prog_id, device.ifindex)
            ),
            0,
        )
        by = f"link {link_id}" if link_id else "netlink" if links is not None else ""
        mode = "driver" if one.mode == XdpMode.DRIVER else one.mode.name.lower()
        fields = {"mode": mode, "id": one.prog_id}
        fields |= {} if links is None else {"link_id": link_id}
        yield NetEntry("xdp", mode, one.prog_id, by, device.name, device.ifindex, fields)


def _ordered(device: Interface, notes: list[str]) -> Iterator[NetEntry]:
    """Say what is at tcx, and at both sides of a netkit device."""
    try:
        found = list(ordered(device))
    except SyscallError as err:
        if err.errno not in _DENIED:
            raise
        notes.append(NO_TCX)
        return
    for _, kind, one in found:
        by = f"link {one.link_id}" if one.link_id else "no link"
        fields = {
            "kind": kind,
            "prog_id": one.prog_id,
            "prog_flags": [],
            "link_id": one.link_id,
            "link_flags": [],
        }
        yield NetEntry("tc", kind, one.prog_id, by, device.name, device.ifindex, fields)


def ordered(device: Interface) -> Iterator[tuple[AttachType, str, Entry]]:
    """Yield what runs at tcx and netkit on an interface, with the side in words ("tcx/ingress").

    Kernels before 6.6 have neither, and of a pair of netkit devices only one answers for both, the
    other with EACCES (netkit_dev_fetch, drivers/net/netkit.c, Linux 6.7).
    Raises: SyscallError (EPERM without CAP_NET_ADMIN).
    """
    for side, kind in (_TCX | (_NETKIT if device.kind == "netkit" else {})).items():
        try:
            found = entries(device.ifindex, side)
        except SyscallError as err:
            if err.errno in _LACKING or (side in _NETKIT and err.errno == errno.EACCES):
                return
            raise
        yield from ((side, kind, one) for one in found)


def all_filters(ifindex: int = 0) -> Iterator[tuple[Interface, str, tc.Filter]]:
    """Yield the BPF filters of all interfaces here, or of one, with what they hang on.

    That is a kind of queueing discipline ("htb"), or a side ("clsact/ingress").
    Raises: SyscallError.
    """
    kinds: dict[int, list[tc.Class]] = {}
    for one in tc.qdiscs():
        if one.handle:
            kinds.setdefault(one.ifindex, []).append(one)
    for device in interfaces():
        if ifindex in (0, device.ifindex):
            for kind, found in _filters(device.ifindex, kinds.get(device.ifindex, [])):
                yield device, kind, found


def _filters(ifindex: int, qdiscs: list[tc.Class]) -> Iterator[tuple[str, tc.Filter]]:
    """Ask classes and queueing disciplines for filters, then both sides of clsact."""
    shapers = [one for one in qdiscs if one.kind not in _SIDED]
    for one in [*tc.classes(ifindex), *shapers] if shapers else []:
        yield from ((one.kind, found) for found in tc.filters(ifindex, one.handle))
    for parent in tc.sides({one.kind for one in qdiscs}):
        kind = f"clsact/{tc.SIDES[parent]}"
        yield from ((kind, found) for found in tc.filters(ifindex, parent))


def _filter(device: Interface, kind: str, one: tc.Filter) -> NetEntry:
    fields: dict[str, Any] = {"kind": kind}
    fields |= {"name": one.name} if one.name else {}
    fields |= {"id": one.prog_id} if one.prog_id else {}
    if one.actions is not None:
        fields["act"] = [{"name": act.name, "id": act.prog_id} for act in one.actions]
    fields |= {
        "priority": one.priority,
        "handle": one.handle,
        "direct_action": one.direct_action,
    }
    by = f"filter, priority {one.priority} handle {one.handle:#x}"
    by += "".join(f", action {act.prog_id} {act.name}" for act in one.actions or ())
    return NetEntry("tc", kind, one.prog_id, by, device.name, device.ifindex, fields)


def _flow_dissector(notes: list[str]) -> Iterator[NetEntry]:
    """Ask this network namespace. Source: netns_bpf_prog_query(), kernel/bpf/net_namespace.c."""
    room = bytearray(4)
    try:
        with open(THIS_NETNS) as place:
            query = prog_query(
                attach_type=AttachType.FLOW_DISSECTOR, target_fd=place.fileno(), prog_ids=room
            )
            bpf(query)
    except SyscallError as err:
        if err.errno not in _DENIED | _LACKING:
            raise
        if err.errno in _DENIED:
            notes.append("the flow dissector could not be asked: that takes CAP_NET_ADMIN")
        return
    if query.count:
        prog_id = int.from_bytes(room, "little")
        yield NetEntry("flow_dissector", "flow_dissector", prog_id, "", fields={"id": prog_id})


def _netfilter(links: list[LinkInfo]) -> Iterator[NetEntry]:
    from bpfctl.objects.link_kinds import Netfilter
    from bpfctl.objects.link_targets import describe_target

    for info in links:
        if isinstance(info.details, Netfilter):
            fields = info.details.to_json() | {"id": info.prog_id, "link_id": info.id}
            words = describe_target(info)
            yield NetEntry("netfilter", words, info.prog_id, f"link {info.id}", fields=fields)


def _names(prog_ids: set[int], notes: list[str]) -> dict[int, str]:
    from bpfctl.objects.prog import prog_info

    names = {}
    for number in sorted(prog_ids):
        try:
            with open_id(ObjectKind.PROG, number) as fd:
                names[number] = prog_info(fd).name
        except NotFoundError:
            continue
        except BpfctlError:
            notes.append(NO_NAMES)
            break
    return names
