"""Looks at a machine and says what works on it, what does not, and what that costs."""

from __future__ import annotations

from bpfctl.features import doctor_kernel as kernel
from bpfctl.features import doctor_places as places
from bpfctl.features import doctor_rights as rights
from bpfctl.features.finding import State
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bpfctl.features.finding import Finding
    from bpfctl.features.machine import Machine

    Check = Callable[[Machine], Finding]

CHECKS: dict[str, tuple[Check, ...]] = {
    "rights": (
        rights.check_syscall,
        rights.check_capabilities,
        rights.check_unprivileged,
        rights.check_tokens,
        rights.check_lockdown,
        rights.check_lsms,
        rights.check_perf,
        rights.check_symbols,
        rights.check_memlock,
    ),
    "kernel": (
        kernel.check_btf,
        kernel.check_module_btf,
        kernel.check_jit,
        kernel.check_kprobes,
        kernel.check_uprobes,
        kernel.check_trampolines,
        kernel.check_ftrace,
        kernel.check_config,
    ),
    "places": (places.check_bpffs, places.check_tracefs, places.check_cgroups),
}


@plain
class Report:
    """What was found, by group, in the order it is shown."""

    release: str
    machine: str
    findings: dict[str, tuple[Finding, ...]]

    def count(self, state: State) -> int:
        """Return how many findings have a verdict."""
        return sum(one.state is state for group in self.findings.values() for one in group)

    def to_json(self) -> dict[str, Any]:
        """Return one object: the counts, and each finding with its group."""
        return {
            "kernel": self.release,
            "machine": self.machine,
            "summary": {state.value: self.count(state) for state in State},
            "findings": [
                one.to_json(group) for group, found in self.findings.items() for one in found
            ],
        }


def examine(machine: Machine) -> Report:
    """Decide what was read of a machine. Nothing is asked of the kernel here."""
    found = {group: tuple(check(machine) for check in checks) for group, checks in CHECKS.items()}
    return Report(machine.facts.release, machine.facts.machine, found)
