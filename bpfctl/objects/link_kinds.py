"""What the kernel tells of a link, by its kind. Plain numbers; words are in link_targets.py.

`to_json` of each gives bpftool's keys (`bpftool -j link show`, 7.8). Source of the fields:
struct bpf_link_info, include/uapi/linux/bpf.h (Linux 7.3).
"""

from __future__ import annotations

from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import AttachType, CgroupIterOrder
from bpfctl.plain import plain
from bpfctl.plain_typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MAP_TARGETS: Final = ("bpf_map_elem", "bpf_sk_storage_map", "sockmap")
TASK_TARGETS: Final = ("task", "task_file", "task_vma")


class Details(Protocol):
    """The part of a link's information that depends on its kind."""

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""


def _with_cookie(fields: dict[str, object], cookie: int | None) -> dict[str, object]:
    return fields | ({"cookie": cookie} if cookie else {})


@plain
class RawTracepoint:
    """A raw tracepoint, also one reached by its type information (tp_btf)."""

    name: str
    cookie: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return _with_cookie({"tp_name": self.name}, self.cookie)


@plain
class Tracing:
    """A function of the kernel, a module or a program (fentry, fexit, fmod_ret, LSM, freplace).

    `target_obj_id` is the id of a BTF object, or of a program where a program's function is
    meant; `target_btf_id` is the function's type in it.
    """

    attach_type: int
    target_obj_id: int
    target_btf_id: int
    cookie: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return _with_cookie(
            {
                "attach_type": label(AttachType, self.attach_type),
                "target_obj_id": self.target_obj_id,
                "target_btf_id": self.target_btf_id,
            },
            self.cookie,
        )


@plain
class Cgroup:
    """A control group; `cgroup_id` is 0 once the group is gone."""

    cgroup_id: int
    attach_type: int

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {
            "cgroup_id": self.cgroup_id,
            "attach_type": label(AttachType, self.attach_type),
        }


@plain
class Iter:
    """An iterator; parameters that do not belong to its target are None."""

    target_name: str
    map_id: int | None = None
    tid: int | None = None
    pid: int | None = None
    cgroup_id: int | None = None
    order: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        fields: dict[str, object] = {"target_name": self.target_name}
        if self.map_id is not None:
            fields["map_id"] = self.map_id
        if self.tid:
            fields["tid"] = self.tid
        elif self.pid:
            fields["pid"] = self.pid
        if self.cgroup_id is not None and self.order is not None:
            fields |= {"cgroup_id": self.cgroup_id, "order": label(CgroupIterOrder, self.order)}
        return fields


@plain
class Netns:
    """A network namespace, by the inode of its file in /proc/PID/ns; 0 once it is gone."""

    netns_ino: int
    attach_type: int

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {"netns_ino": self.netns_ino, "attach_type": label(AttachType, self.attach_type)}


@plain
class Device:
    """A network interface of some network namespace (XDP, tcx, netkit); 0 once it is gone.

    XDP links have no `attach_type`.
    """

    ifindex: int
    attach_type: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys; "devname" takes a look at the interfaces."""
        fields: dict[str, object] = {"ifindex": self.ifindex}
        if self.attach_type is not None:
            fields["attach_type"] = label(AttachType, self.attach_type)
        return fields


@plain
class StructOps:
    """A struct of kernel callbacks, held by a map."""

    map_id: int

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {"map_id": self.map_id}


@plain
class Sockmap:
    """A map of sockets."""

    map_id: int
    attach_type: int

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {"map_id": self.map_id, "attach_type": label(AttachType, self.attach_type)}


@plain
class Netfilter:
    """A netfilter hook: protocol family (NFPROTO_*) and number of the hook within it."""

    pf: int
    hook: int
    priority: int
    flags: int

    def to_json(self) -> dict[str, object]:
        """Return the fields by bpftool's keys."""
        return {"pf": self.pf, "hook": self.hook, "prio": self.priority, "flags": self.flags}
