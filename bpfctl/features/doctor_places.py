"""What is mounted where."""

from __future__ import annotations

from bpfctl.features.finding import good, limited
from bpfctl.linux.mounts import BPFFS_PLACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bpfctl.features.finding import Finding
    from bpfctl.features.machine import Machine


def check_bpffs(machine: Machine) -> Finding:
    """Say where objects can be pinned."""
    places = list(dict.fromkeys(mount.point for mount in machine.mounted("bpf")))
    facts: dict[str, Any] = {"mounts": places}
    cost = "nothing can be pinned"
    if not places:
        remedy = f"mount -t bpf bpf {BPFFS_PLACE}"
        return limited("bpffs", "none is mounted", cost, remedy, **facts)
    seen = ", ".join(places)
    if not machine.writable & set(places):
        return limited("bpffs", f"{seen}: not writable for this process", cost, **facts)
    if BPFFS_PLACE not in places:
        cost = f"tools that expect {BPFFS_PLACE} find nothing"
        return limited("bpffs", seen, cost, f"mount -t bpf bpf {BPFFS_PLACE}", **facts)
    return good("bpffs", seen, **facts)


def check_tracefs(machine: Machine) -> Finding:
    """Say where the kernel describes its trace events."""
    places = [mount.point for mount in machine.mounted("tracefs")]
    facts: dict[str, Any] = {"mounts": places}
    if places:
        return good("tracefs", places[0], **facts)
    debugfs = [f"{mount.point}/tracing" for mount in machine.mounted("debugfs")]
    if debugfs:
        return good("tracefs", f"{debugfs[0]} (in debugfs, mounted when somebody enters)", **facts)
    if machine.lacks("CAP_SYS_ADMIN"):
        cost = "tracepoints cannot be found by name"
        remedy = "mount -t tracefs tracefs /sys/kernel/tracing, as root"
        return limited("tracefs", "not mounted", cost, remedy, **facts)
    return good("tracefs", "not mounted; bpfctl mounts one that nobody else sees", **facts)


def check_cgroups(machine: Machine) -> Finding:
    """Say which version of cgroups is mounted: programs attach to those of version 2 only."""
    second = [mount.point for mount in machine.mounted("cgroup2")]
    first = [mount.point for mount in machine.mounted("cgroup")]
    facts: dict[str, Any] = {"v2": second, "v1": len(first)}
    if not second:
        version = "version 1 only" if first else "none is mounted"
        cost = "programs attach to cgroups of version 2 only"
        remedy = "mount -t cgroup2 none /sys/fs/cgroup/unified"
        return limited("cgroups", version, cost, remedy, **facts)
    if first:
        seen = f"version 2 at {second[0]}, and version 1 with {len(first)} hierarchies"
        return good("cgroups", seen, **facts)
    return good("cgroups", f"version 2 at {second[0]}", **facts)
