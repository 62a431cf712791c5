"""Asks the running kernel everything, once."""

from __future__ import annotations

import errno

from bpfctl.features.facts import read_facts
from bpfctl.features.links import probe_links
from bpfctl.features.maps import PROBES as MAP_PROBES
from bpfctl.features.maps import probe_map_types
from bpfctl.features.misc import probe_attach, probe_misc, probe_syscall
from bpfctl.features.options import PROG_TYPES, explained
from bpfctl.features.prober import VMLINUX, Prober
from bpfctl.features.programs import probe_program, program_probes
from bpfctl.features.report import FeatureReport
from bpfctl.linux.caps import Capability, has_capability
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.features.facts import Facts
    from bpfctl.features.programs import ProgramProbe
    from bpfctl.features.verdict import Verdict

_WANTED = (Capability.BPF, Capability.PERFMON, Capability.NET_ADMIN)


def probe_kernel(
    *,
    helpers: bool = False,
    noisy: bool = False,
    facts: Facts | None = None,
    vmlinux: str = VMLINUX,
) -> FeatureReport:
    """Return what the running kernel can do. What fails is an answer, so nothing is raised.

    `helpers` asks about helper functions too, some 6,000 calls of bpf(2); `noisy` also about the
    three that make the kernel warn in its log. `facts` are read where they are not given;
    `vmlinux` is the file of the kernel's type information.
    """
    facts = facts or read_facts()
    with Prober(vmlinux) as prober:
        report = _probe(prober, facts)
        if not helpers:
            return report
        from bpfctl.features.helpers import probe_all_helpers

        return replace(report, helpers=probe_all_helpers(prober, report.programs, noisy=noisy))


def _probe(prober: Prober, facts: Facts) -> FeatureReport:
    syscall = probe_syscall(filtered=facts.seccomp)
    maps = probe_map_types(prober)
    for name, verdict in maps.items():
        probe = MAP_PROBES.get(name.upper())
        maps[name] = explained(verdict, probe.config if probe else "", facts.config)
    return FeatureReport(
        facts=facts,
        syscall=syscall,
        programs=tuple(
            (probe, _settled(_program(prober, probe, facts), syscall)) for probe in program_probes()
        ),
        map_types=_all_settled(maps, syscall),
        links=_all_settled(probe_links(prober, facts.config), syscall),
        misc=_all_settled(probe_misc(prober), syscall) | probe_attach(facts.config),
        missing_capabilities=tuple(
            f"CAP_{one.name}" for one in _WANTED if has_capability(one) is False
        ),
    )


def _program(prober: Prober, probe: ProgramProbe, facts: Facts) -> Verdict:
    verdict = probe_program(prober, probe)
    return explained(verdict, PROG_TYPES.get(probe.prog_type, ""), facts.config)


def _settled(verdict: Verdict, syscall: Verdict) -> Verdict:
    """Answer as the system call does where there is none: nothing else can be then."""
    if syscall.errno != errno.ENOSYS or verdict.available:
        return verdict
    return replace(syscall, since=verdict.since)


def _all_settled(verdicts: dict[str, Verdict], syscall: Verdict) -> dict[str, Verdict]:
    return {name: _settled(verdict, syscall) for name, verdict in verdicts.items()}
