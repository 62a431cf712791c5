"""Where programs run without a link: each place is asked whether it runs one program."""

from __future__ import annotations

import errno
import sys
from array import array

from bpfctl.errors import BpfctlError, PathError
from bpfctl.kernel.uapi import AttachType, MapType, ProgType
from bpfctl.objects.attachments_types import Attachment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.prog import ProgInfo

    Search = Callable[[ProgInfo], Iterator[Attachment]]

_EVENTS: Final = (ProgType.KPROBE, ProgType.TRACEPOINT, ProgType.PERF_EVENT)
_EVENT_NAME_BYTES: Final = 256
_SOCKMAPS: Final = (MapType.SOCKMAP, MapType.SOCKHASH)
_SOCKMAP_HOOKS: Final[dict[int, tuple[AttachType, ...]]] = {
    ProgType.SK_MSG: (AttachType.SK_MSG_VERDICT,),
    ProgType.SK_SKB: (
        AttachType.SK_SKB_STREAM_PARSER,
        AttachType.SK_SKB_STREAM_VERDICT,
        AttachType.SK_SKB_VERDICT,
    ),
}
# Where in a value the id of a program stands (struct bpf_devmap_val and bpf_cpumap_val,
# include/uapi/linux/bpf.h, Linux 5.8 and 5.9).
_JUMPED_TO: Final[dict[int, int]] = {MapType.PROG_ARRAY: 0}
_REDIRECTED_TO: Final[dict[int, int]] = {
    MapType.DEVMAP: 4,
    MapType.DEVMAP_HASH: 4,
    MapType.CPUMAP: 4,
}


def searches(prog: ProgInfo) -> Iterator[tuple[Search, str]]:
    """Yield where else to look for a program of that type, and the words for each place."""
    if prog.type == ProgType.XDP:
        yield _interfaces, "on an interface"
    if prog.type == ProgType.SCHED_CLS:
        yield _filters, "as a filter of tc"
        yield _ordered, "at tcx or netkit"
    if prog.type == ProgType.SCHED_ACT:
        yield _actions, "as an action of tc"
    if _cgroup_hooks(prog.type):
        yield _cgroups, "in a cgroup"
    if prog.type in _EVENTS:
        yield event_attachments, "on a perf event"
    if prog.type in _SOCKMAP_HOOKS:
        yield _sockmaps, "in a map of sockets"
    if prog.type == ProgType.STRUCT_OPS:
        yield _struct_ops, "in a struct_ops map"
    yield _in_maps, "in a map"


def _interfaces(prog: ProgInfo) -> Iterator[Attachment]:
    from bpfctl.kernel.netlink import xdp_attachments

    for one in xdp_attachments():
        if one.prog_id == prog.id:
            words = f"{one.name} (ifindex {one.ifindex}, {one.mode.name.lower()} mode)"
            yield Attachment("xdp", words, facts={"ifindex": one.ifindex})


def _filters(prog: ProgInfo) -> Iterator[Attachment]:
    """Ask each interface about filters, wherever they hang. Raises: SyscallError."""
    from bpfctl.objects.net_list import all_filters

    for device, kind, one in all_filters():
        if prog.id in (one.prog_id, *(act.prog_id for act in one.actions or ())):
            side = kind.removeprefix("clsact/")
            words = f"{device.name} {side} (ifindex {device.ifindex}, tc filter)"
            yield Attachment("tc", words, facts={"ifindex": device.ifindex})


def _ordered(prog: ProgInfo) -> Iterator[Attachment]:
    """Ask each interface about both sides of tcx and netkit. Raises: SyscallError (EPERM)."""
    from bpfctl.kernel.netlink import interfaces
    from bpfctl.objects.net_list import ordered

    for device in interfaces():
        for _, kind, one in ordered(device):
            if (one.prog_id, one.link_id) == (prog.id, 0):
                place, _, side = kind.partition("/")
                words = f"{device.name} {side} (ifindex {device.ifindex}, {place})"
                yield Attachment(place, words, facts={"ifindex": device.ifindex})


def _actions(prog: ProgInfo) -> Iterator[Attachment]:
    """Look at the actions of tc. Raises: SyscallError."""
    from bpfctl.kernel.netlink_tc import actions

    for one in actions():
        if one.prog_id == prog.id:
            filters = f"{one.bound} filter{'' if one.bound == 1 else 's'}"
            yield Attachment("tc_action", f"number {one.index}, used by {filters}")


def _cgroup_hooks(prog_type: int) -> list[AttachType]:
    """Return the attach types of cgroups that take programs of a type."""
    from bpfctl.elf.sections import AttachKind, definitions

    kinds = (AttachKind.CGROUP, AttachKind.LSM_CGROUP)
    rows = [row for row in definitions() if row.kind in kinds and row.prog_type == prog_type]
    return list(dict.fromkeys(row.attach_type for row in rows if row.attach_type is not None))


def _cgroups(prog: ProgInfo) -> Iterator[Attachment]:
    from bpfctl.linux.cgroups import cgroup2_mounts, walk_cgroups
    from bpfctl.objects.attach_words import attach_word
    from bpfctl.objects.cgroup import attached, path_within

    hooks, roots = _cgroup_hooks(prog.type), cgroup2_mounts()
    if not roots:
        raise PathError("no hierarchy of version 2 is mounted", code="no-cgroup2")
    for root in roots[:1]:
        for folder in walk_cgroups(root):
            path = path_within(folder, [root])
            for hook in hooks:
                try:
                    ids = attached(folder, hook).prog_ids
                except (BpfctlError, OSError):
                    continue
                if prog.id in ids:
                    words = f"{attach_word(hook)} on {path}"
                    yield Attachment("cgroup", words, facts={"path": path})


def event_attachments(prog: ProgInfo) -> Iterator[Attachment]:
    """Ask about each perf event of each process. Raises: SyscallError (EPERM)."""
    from bpfctl.kernel.attr_object import task_fd_query
    from bpfctl.kernel.bpf import bpf, try_bpf
    from bpfctl.linux.procs import command_name, descriptors, process_ids

    for pid in process_ids():
        seen = descriptors(pid)
        for number, target in seen.targets.items() if seen else ():
            if target != "anon_inode:[perf_event]":
                continue
            name = bytearray(_EVENT_NAME_BYTES)
            query = task_fd_query(pid, number, name)
            if try_bpf(query) == -errno.EPERM:
                bpf(query)
            if query.prog_id == prog.id:
                event = name.partition(b"\0")[0].decode(errors="replace")
                words = f"{event} (perf event of {command_name(pid)}[{pid}])".lstrip()
                yield Attachment("perf_event", words, facts={"pid": pid})


def _sockmaps(prog: ProgInfo) -> Iterator[Attachment]:
    """Ask each map of sockets. Raises: SyscallError (EINVAL before Linux 5.18)."""
    from bpfctl.objects.attach_words import attach_word
    from bpfctl.objects.ids import ObjectKind, open_id
    from bpfctl.objects.map import maps

    for info in maps():
        if info.type not in _SOCKMAPS:
            continue
        with open_id(ObjectKind.MAP, info.id) as fd:
            for hook in _SOCKMAP_HOOKS[prog.type]:
                if prog.id == _sockmap_program(fd, hook):
                    words = f"{attach_word(hook)} on map {info.id} {info.name}".rstrip()
                    yield Attachment("sockmap", words, facts={"map_id": info.id})


def _sockmap_program(fd: Fd, hook: AttachType) -> int:
    """Return the id of the program of a map of sockets, 0 without any."""
    from bpfctl.kernel.attr_link import prog_query
    from bpfctl.kernel.bpf import bpf

    room = bytearray(4)
    query = prog_query(attach_type=hook, target_fd=fd, prog_ids=room)
    bpf(query)
    return array("I", bytes(room))[0] if query.count else 0


def _struct_ops(prog: ProgInfo) -> Iterator[Attachment]:
    """Look into the structs of functions that programs implement."""
    from bpfctl.objects.ids import ObjectKind, open_id
    from bpfctl.objects.map import maps
    from bpfctl.objects.struct_ops import dump

    for info in maps():
        if info.type != MapType.STRUCT_OPS:
            continue
        with open_id(ObjectKind.MAP, info.id) as fd:
            struct, value = next(iter(dump(fd)[-1].items()))
        for member, words in value.get("data", {}).items():
            if str(words).endswith(f"/prog_id:{prog.id}"):
                kind = struct.removeprefix("bpf_struct_ops_")
                where = f"{member} of {kind}, map {info.id} {info.name}".rstrip()
                yield Attachment("struct_ops", where, facts={"map_id": info.id})


def _in_maps(prog: ProgInfo) -> Iterator[Attachment]:
    """Look into maps that hold programs: tail calls, and XDP programs behind a redirect."""
    from bpfctl.objects.ids import ObjectKind, open_id
    from bpfctl.objects.map import Map, maps

    places = _JUMPED_TO | (_REDIRECTED_TO if prog.type == ProgType.XDP else {})
    wanted = prog.id.to_bytes(4, sys.byteorder)
    for info in maps():
        at = places.get(info.type)
        if at is None or info.bytes_value < at + 4:
            continue
        with Map(open_id(ObjectKind.MAP, info.id)) as table:
            keys = [key for key, value in table.items() if value[at : at + 4] == wanted]
        for key in keys:
            index = int.from_bytes(key, sys.byteorder)
            words = f"map {info.id} {info.name}".rstrip() + f", entry {index}"
            yield Attachment("map", words, facts={"map_id": info.id})
