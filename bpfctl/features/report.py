"""Everything that was found out about a kernel: one record."""

from __future__ import annotations

from bpfctl.features.programs import by_program_type
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from bpfctl.features.facts import Facts
    from bpfctl.features.helpers import HelperSet
    from bpfctl.features.programs import ProgramProbe
    from bpfctl.features.verdict import Verdict
    from bpfctl.kernel.uapi import ProgType


@plain
class FeatureReport:
    """The answers of one kernel to every question there is a probe for.

    `programs` has each combination of program type and attach type, `map_types`, `links` and
    `misc` are by name. `helpers` is None where nobody asked. `missing_capabilities` are those of
    BPF that the process lacks which asked ("CAP_BPF").
    """

    facts: Facts
    syscall: Verdict
    programs: tuple[tuple[ProgramProbe, Verdict], ...]
    map_types: Mapping[str, Verdict]
    links: Mapping[str, Verdict]
    misc: Mapping[str, Verdict]
    helpers: Mapping[ProgType, HelperSet] | None = None
    missing_capabilities: tuple[str, ...] = ()

    def program_types(self) -> dict[ProgType, Verdict]:
        """Sum the programs up: a type is available when one of its combinations is."""
        return by_program_type(list(self.programs))

    def verdicts(self) -> Iterator[tuple[str, str, Verdict]]:
        """Yield group, name and verdict of everything except helpers."""
        yield "syscall", "bpf", self.syscall
        for probe, verdict in self.programs:
            yield "program", probe.name, verdict
        groups = (("map", self.map_types), ("link", self.links), ("misc", self.misc))
        for group, verdicts in groups:
            for name, verdict in verdicts.items():
                yield group, name, verdict

    def denied(self) -> list[str]:
        """Name what could not be told for lack of permission ("program fentry")."""
        return [f"{group} {name}" for group, name, verdict in self.verdicts() if verdict.denied]

    def to_json(self) -> dict[str, Any]:
        """Return bpftool's fields and ours.

        In bpftool's there is true, false, and null for what cannot be told; `verdicts` says why.
        """
        fields: dict[str, Any] = {
            "system_config": self.facts.system_config(),
            "syscall_config": {"have_bpf_syscall": self.syscall.available},
            "program_types": {
                f"have_{kind.name.lower()}_prog_type": verdict.available
                for kind, verdict in sorted(self.program_types().items())
            },
            "map_types": _booleans(self.map_types, "have_{}_map_type"),
        }
        if self.helpers is not None:
            fields["helpers"] = {
                f"{kind.name.lower()}_available_helpers": _names(found)
                for kind, found in sorted(self.helpers.items())
            }
        fields["misc"] = _booleans(self.misc, "have_{}")
        return {**fields, "kernel": self.facts.to_json(), "verdicts": self._verdicts_to_json()}

    def _verdicts_to_json(self) -> dict[str, Any]:
        groups: dict[str, Any] = {
            "programs": {probe.name: _program(probe, verdict) for probe, verdict in self.programs},
            "map_types": _full(self.map_types),
            "links": _full(self.links),
            "misc": _full(self.misc),
        }
        if self.helpers is not None:
            groups["helpers"] = {
                kind.name.lower(): _helpers(found) for kind, found in sorted(self.helpers.items())
            }
        return groups


def _booleans(verdicts: Mapping[str, Verdict], pattern: str) -> dict[str, bool | None]:
    return {pattern.format(name): verdict.available for name, verdict in verdicts.items()}


def _full(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    return {name: verdict.to_json() for name, verdict in verdicts.items()}


def _program(probe: ProgramProbe, verdict: Verdict) -> dict[str, Any]:
    """Name the combination in the kernel's words too: the key is a section's name."""
    attach = probe.attach_type
    return {
        "prog_type": probe.prog_type.name.lower(),
        "attach_type": None if attach is None else attach.name.lower(),
        **verdict.to_json(),
    }


def _names(found: HelperSet) -> list[str] | None:
    """Return the helpers that can be called; None, not an empty list, where nothing tells."""
    return None if found.verdict.available is None else found.names


def _helpers(found: HelperSet) -> dict[str, Any]:
    """Say as which program a type was asked, and what could not be told."""
    fields = {"asked_as": found.probe.name, **found.verdict.to_json()}
    fields.pop("since", None)
    return {**fields, "cannot_tell": found.unsure} if found.unsure else fields
