"""What links are attached to, in words."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import CgroupIterOrder, LinkType
from bpfctl.linux.cgroups import cgroup_paths
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects.attach_words import attach_word
from bpfctl.objects.link_devices import Devices
from bpfctl.objects.link_functions import function_target, map_words, prog_type
from bpfctl.objects.link_probe_words import probe_target
from bpfctl.plain import field, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from bpfctl.objects.link import LinkInfo

_NAMED_NETNS: Final = "/run/netns"  # where ip(8) keeps them
# include/uapi/linux/netfilter.h
_FAMILIES: Final = {1: "inet", 2: "ipv4", 3: "arp", 5: "netdev", 7: "bridge", 10: "ipv6"}
_HOOKS: Final = ("prerouting", "input", "forward", "output", "postrouting")
_ARP_HOOKS: Final = ("input", "output", "forward")


@plain
class Target:
    """What a link is attached to: in words, and further fields for JSON."""

    words: str
    facts: dict[str, object] = field(default_factory=dict)


class Targets:
    """Words for the targets of several links: each directory, interface and type is read once."""

    def __init__(self, infos: Sequence[LinkInfo]) -> None:
        self._infos = infos
        self._devices = Devices()

    def describe(self, info: LinkInfo) -> Target:
        """Say what a link is attached to. What cannot be found out stays a number.

        Raises nothing: a link of an unknown kind is described as such.
        """
        match info.details:
            case kinds.RawTracepoint(name):
                return Target(name)
            case kinds.Tracing() as tracing:
                return self._tracing(info, tracing)
            case kinds.Cgroup() as group:
                return self._cgroup(group)
            case kinds.Iter() as walk:
                return self._iter(walk)
            case kinds.Netns() as netns:
                return Target(_netns_words(netns))
            case kinds.Device() as device:
                place = self._devices.place(info, device)
                return Target(place.words, place.facts())
            case kinds.StructOps(map_id):
                return Target(map_words(map_id))
            case kinds.Sockmap(map_id, attach_type):
                return Target(f"{attach_word(attach_type)} on {map_words(map_id)}")
            case kinds.Netfilter() as hook:
                return Target(_netfilter_words(hook))
            case None:
                return Target(_untold_words(info))
            case other:
                return Target(*probe_target(other))

    def _tracing(self, info: LinkInfo, tracing: kinds.Tracing) -> Target:
        kind = prog_type(info.prog_id)
        facts: dict[str, object] = {"prog_type": kind} if kind is not None else {}
        word = "freplace" if kind == "ext" else attach_word(tracing.attach_type)
        return Target(f"{word} {function_target(info.prog_id, tracing, kind)}", facts)

    @cached_property
    def _paths(self) -> dict[int, str]:
        """The paths of all cgroups that links refer to, found by one walk."""
        ids = [
            info.details.cgroup_id
            for info in self._infos
            if isinstance(info.details, kinds.Cgroup | kinds.Iter) and info.details.cgroup_id
        ]
        return cgroup_paths(ids)

    def _cgroup(self, group: kinds.Cgroup) -> Target:
        word = attach_word(group.attach_type)
        if not group.cgroup_id:
            return Target(f"detached (was {word})")
        path = self._paths.get(group.cgroup_id) or f"cgroup id {group.cgroup_id} (not visible here)"
        return Target(f"{word} on {path}", self._group_facts(group))

    def _group_facts(self, group: kinds.Cgroup | kinds.Iter) -> dict[str, object]:
        path = self._paths.get(group.cgroup_id or 0)
        return {"cgroup_path": path} if path else {}

    def _iter(self, walk: kinds.Iter) -> Target:
        if walk.map_id is not None:
            return Target(f"{walk.target_name} of {map_words(walk.map_id)}")
        if walk.target_name in kinds.TASK_TARGETS:
            return Target(f"{walk.target_name} ({_task_words(walk)})")
        if walk.cgroup_id is not None:
            order = label(CgroupIterOrder, walk.order or 0)
            path = self._paths.get(walk.cgroup_id) or f"id {walk.cgroup_id}, not visible here"
            return Target(f"{walk.target_name} {path} ({order})", self._group_facts(walk))
        return Target(walk.target_name)


def _untold_words(info: LinkInfo) -> str:
    if info.type == LinkType.PERF_EVENT:  # before Linux 6.6
        return "perf event (this kernel does not tell of what)"
    return f"unknown (a link of type {info.type_name})"


def describe_target(info: LinkInfo) -> str:
    """Say what one link is attached to; `Targets` is for several."""
    return Targets([info]).describe(info).words


def _task_words(walk: kinds.Iter) -> str:
    if walk.tid:
        return f"thread {walk.tid}"
    return f"pid {walk.pid}" if walk.pid else "all tasks"


def _netns_words(netns: kinds.Netns) -> str:
    """Name a network namespace: our own, one that ip(8) named, or its number."""
    word = attach_word(netns.attach_type)
    if not netns.netns_ino:
        return f"detached (was {word})"
    if _inode("/proc/self/ns/net") == netns.netns_ino:
        return f"{word} in this network namespace"
    try:
        places = list(Path(_NAMED_NETNS).iterdir())
    except OSError:
        places = []
    named = [place.name for place in places if _inode(str(place)) == netns.netns_ino]
    return f"{word} in network namespace {named[0] if named else netns.netns_ino}"


def _inode(path: str) -> int | None:
    try:
        return Path(path).stat().st_ino
    except OSError:
        return None


def _netfilter_words(hook: kinds.Netfilter) -> str:
    family = _FAMILIES.get(hook.pf, f"protocol family {hook.pf}")
    names = _ARP_HOOKS if family == "arp" else _HOOKS
    name = names[hook.hook] if hook.hook < len(names) else f"hook {hook.hook}"
    return f"{family} {name}, priority {hook.priority}"
