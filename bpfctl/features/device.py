"""What a network device can do: run programs in its hardware, and XDP in its driver.

For its hardware small programs and maps are made for the device, as bpf(2) takes them with its
index; what its driver can do the kernel lists (netlink, family netdev). Nothing is attached.
"""

from __future__ import annotations

import errno

from bpfctl.elf.sections import AttachKind
from bpfctl.features.helpers import NOISY, HelperSet, probe_helpers
from bpfctl.features.maps import probe_map_type
from bpfctl.features.misc import ABILITIES, probe_syscall
from bpfctl.features.prober import VMLINUX, Prober
from bpfctl.features.programs import ProgramProbe
from bpfctl.features.verdict import available, errno_name, not_available, unknown
from bpfctl.kernel.flags import ProgFlags
from bpfctl.kernel.netlink_xdp import RX_METADATA, XDP, XSK, xdp_device
from bpfctl.kernel.uapi import MapType, ProgType
from bpfctl.plain import plain, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from bpfctl.features.verdict import Verdict
    from bpfctl.kernel.netlink import Interface
    from bpfctl.kernel.netlink_xdp import XdpDevice

# What a device can be given (bpf_prog_offload_init() and bpf_map_offload_map_alloc(),
# kernel/bpf/offload.c, Linux 4.16 to 7.3).
_PROGRAMS: Final = {
    ProgType.SCHED_CLS: ProgramProbe("tc", ProgType.SCHED_CLS, None, AttachKind.TC, "4.16"),
    ProgType.XDP: ProgramProbe("xdp", ProgType.XDP, None, AttachKind.XDP, "4.16"),
}
_MAPS: Final = (MapType.HASH, MapType.ARRAY)
_NO: Final = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
_HARDWARE: Final = "the driver takes none for its hardware"
_UNTOLD: Final = "this kernel does not list what drivers can do"


@plain
class DeviceReport:
    """The answers about one device.

    `programs` and `map_types` are those that its hardware takes, `misc` what programs there can be,
    `xdp` is what its driver can do; `zerocopy_segments` is how many fragments a packet may have in
    zero-copy mode, None where that is not told. `helpers` is None where nobody asked.
    """

    device: Interface
    syscall: Verdict
    programs: Mapping[ProgType, Verdict]
    map_types: Mapping[str, Verdict]
    misc: Mapping[str, Verdict]
    xdp: Mapping[str, Verdict]
    zerocopy_segments: int | None = None
    helpers: Mapping[ProgType, HelperSet] | None = None

    def groups(self) -> dict[str, Mapping[str, Verdict]]:
        """Return all verdicts by group and name."""
        programs = {kind.name.lower(): verdict for kind, verdict in self.programs.items()}
        return {
            "programs": programs,
            "map_types": self.map_types,
            "misc": self.misc,
            "xdp": self.xdp,
        }

    def denied(self) -> list[str]:
        """Name what could not be told for lack of permission ("programs xdp")."""
        return [
            f"{group} {name}"
            for group, verdicts in self.groups().items()
            for name, verdict in verdicts.items()
            if verdict.denied
        ]

    def to_json(self) -> dict[str, Any]:
        """Return bpftool's fields and ours; null is what cannot be told, `verdicts` say why."""
        groups = self.groups()
        fields: dict[str, Any] = {
            "syscall_config": {"have_bpf_syscall": self.syscall.available},
            "program_types": _booleans(groups["programs"], "have_{}_prog_type"),
            "map_types": _booleans(self.map_types, "have_{}_map_type"),
        }
        if self.helpers is not None:
            fields["helpers"] = {
                f"{kind.name.lower()}_available_helpers": (
                    None if found.verdict.available is None else found.names
                )
                for kind, found in self.helpers.items()
            }
        fields["misc"] = _booleans(self.misc, "have_{}")
        fields["xdp"] = _booleans(self.xdp, "{}")
        fields["device"] = {
            "devname": self.device.name,
            "ifindex": self.device.ifindex,
            "kind": self.device.kind,
            "mtu": self.device.mtu,
            "up": self.device.is_up,
            "xdp_zc_max_segs": self.zerocopy_segments,
        }
        fields["verdicts"] = {
            group: {name: verdict.to_json() for name, verdict in verdicts.items()}
            for group, verdicts in groups.items()
        }
        return fields


def probe_device(
    device: Interface, *, helpers: bool = False, noisy: bool = False, vmlinux: str = VMLINUX
) -> DeviceReport:
    """Return what a device can do. What fails is an answer, so nothing is raised.

    `helpers` and `noisy` are as in `probe_kernel`.
    """
    told = xdp_device(device.ifindex)
    with Prober(vmlinux, ifindex=device.ifindex) as prober:
        programs = {kind: _program(prober, probe) for kind, probe in _PROGRAMS.items()}
        report = DeviceReport(
            device,
            probe_syscall(),
            programs,
            {kind.name.lower(): _map(prober, kind) for kind in _MAPS},
            _misc(prober, programs),
            _xdp(told) | {"device_bound_programs": _bound(prober)},
            told.zerocopy_segments if told else None,
        )
        if not helpers:
            return report
        skipped = frozenset() if noisy else NOISY
        found = {
            kind: _helpers(prober, kind, verdict, skipped) for kind, verdict in programs.items()
        }
        return replace(report, helpers=found)


def _judged(number: int, since: str) -> Verdict:
    if number == 0:
        return available(since)
    reason = f"the kernel answers {errno_name(number)}"
    if number in _NO:
        return not_available(f"{reason}: {_HARDWARE}", number, since)
    return unknown(reason, number, since)


def _program(prober: Prober, probe: ProgramProbe) -> Verdict:
    return _judged(prober.load(probe.prog_type)[0], probe.since)


def _map(prober: Prober, kind: MapType) -> Verdict:
    verdict = probe_map_type(prober, kind)
    if verdict.available is False:
        return not_available(f"{verdict.reason}: {_HARDWARE}", verdict.errno, "4.16")
    return replace(verdict, since="4.16")


def _misc(prober: Prober, programs: Mapping[ProgType, Verdict]) -> dict[str, Verdict]:
    """Ask with a program that the hardware takes; where it takes none there is no more to ask."""
    kind = next((kind for kind, verdict in programs.items() if verdict.available), None)
    if kind is not None:
        return {
            name: _judged(prober.load(kind, code=code)[0], since)
            for name, (code, since) in ABILITIES.items()
        }
    doubtful = next((one for one in programs.values() if one.available is None), None)
    return {
        name: replace(doubtful, since=since)
        if doubtful
        else not_available("its hardware takes no programs", since=since)
        for name, (_, since) in ABILITIES.items()
    }


def _helpers(
    prober: Prober, kind: ProgType, verdict: Verdict, skipped: frozenset[Any]
) -> HelperSet:
    probe = _PROGRAMS[kind]
    if not verdict.available:
        return HelperSet(probe, verdict)
    return HelperSet(probe, available(), probe_helpers(prober, probe, skipped))


def _bound(prober: Prober) -> Verdict:
    """Ask for an XDP program that is for this device alone, and may read what it tells of packets.

    Source: "bpf: Introduce device-bound XDP programs", Linux 6.3.
    """
    number, _ = prober.load(ProgType.XDP, flags=ProgFlags.XDP_DEV_BOUND_ONLY)
    if number == 0:
        return available("6.3")
    reason = f"the kernel answers {errno_name(number)}"
    return (not_available if number in _NO else unknown)(reason, number, "6.3")


def _xdp(told: XdpDevice | None) -> dict[str, Verdict]:
    """Turn what the kernel lists into verdicts, all by name."""
    found = {"generic_mode": available("4.12")}
    for names, since, flags in (
        (XDP, "6.3", told.features if told else None),
        (RX_METADATA, "6.8", told.rx_metadata if told else None),
        (XSK, "6.8", told.xsk if told else None),
    ):
        for name, bit in names.items():
            if flags is None:
                found[name] = unknown(_UNTOLD, since=since)
            elif flags & bit:
                found[name] = available(since)
            else:
                found[name] = not_available("the driver does not list it", since=since)
    return found


def _booleans(verdicts: Mapping[str, Verdict], pattern: str) -> dict[str, bool | None]:
    return {pattern.format(name): verdict.available for name, verdict in verdicts.items()}
