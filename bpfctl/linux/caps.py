"""What this process is allowed to do."""

from __future__ import annotations

from pathlib import Path

from bpfctl.plain_enum import IntEnum


class Capability(IntEnum):
    """Capabilities that BPF operations ask for (include/uapi/linux/capability.h, Linux 6.18)."""

    NET_ADMIN = 12
    SYS_RESOURCE = 24
    SYS_ADMIN = 21
    PERFMON = 38
    BPF = 39


def effective_mask(status: str = "/proc/self/status") -> int | None:
    """Return the effective capability set as a bit mask, or None where it cannot be read."""
    try:
        lines = Path(status).read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return None


def has_capability(capability: Capability, status: str = "/proc/self/status") -> bool | None:
    """Say whether this process has a capability; None where that cannot be told.

    CAP_SYS_ADMIN stands in for CAP_BPF and CAP_PERFMON, as in the kernel (`bpf_capable` and
    `perfmon_capable`, include/linux/capability.h, since Linux 5.8).
    """
    mask = effective_mask(status)
    if mask is None:
        return None
    wanted = 1 << capability
    if capability in (Capability.BPF, Capability.PERFMON):
        wanted |= 1 << Capability.SYS_ADMIN
    return bool(mask & wanted)


def missing_capabilities(status: str = "/proc/self/status") -> list[str]:
    """Name those of `Capability` that this process lacks ("CAP_BPF")."""
    return [
        f"CAP_{capability.name}"
        for capability in Capability
        if has_capability(capability, status) is False
    ]


def in_initial_user_namespace(uid_map: str = "/proc/self/uid_map") -> bool | None:
    """Say whether capabilities count for the machine, not only for a user namespace."""
    try:
        words = Path(uid_map).read_text().split()
    except OSError:
        return None
    return words == ["0", "0", "4294967295"]
