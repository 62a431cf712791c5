"""Show what the network runs: a table, or bpftool's sections as JSON."""

from __future__ import annotations

from bpfctl.plain import plain

from .render import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bpfctl.objects.net_list import NetEntry, NetReport

    from .context import Context

_SECTIONS = ("xdp", "tc", "flow_dissector", "netfilter")


@plain
class Whole:
    """All of it, as bpftool writes it: one object with a list for each section."""

    report: NetReport

    def to_json(self) -> dict[str, object]:
        """The sections."""
        found = self.report.entries
        return {
            name: [self._entry(one) for one in found if one.section == name] for name in _SECTIONS
        }

    def _entry(self, one: NetEntry) -> dict[str, Any]:
        """The fields by bpftool's keys, and ours: the program's name as "prog_name"."""
        name = self.report.names.get(one.prog_id)
        place = {"devname": one.device, "ifindex": one.ifindex} if one.device else {}
        if "prog_id" in one.fields:  # bpftool has the program's name there, after the kind
            rest = dict(one.fields)
            return place | {"kind": rest.pop("kind"), "name": name or ""} | rest
        return place | one.fields | ({"prog_name": name} if name is not None else {})


@plain
class Row:
    """One line of the table."""

    entry: NetEntry
    name: str

    def to_json(self) -> dict[str, object]:
        """Never asked for: JSON has sections."""
        return self.entry.fields

    @property
    def device(self) -> str:
        """The interface; empty for what has none."""
        return f"{self.entry.device} ({self.entry.ifindex})" if self.entry.device else ""

    @property
    def place(self) -> str:
        """What sort of place it is."""
        prefix = f"{self.entry.section} " if self.entry.section in ("xdp", "netfilter") else ""
        return prefix + self.entry.kind


def show_net(out: Context, device: str | None) -> None:
    """Show all, or what one interface has. Raises: NotFoundError, SyscallError."""
    from bpfctl.objects.net_list import net_report

    report = net_report(device)
    if out.json:
        render(out, [Whole(report)], (), notes=report.notes)
        return
    rows = [Row(one, report.names.get(one.prog_id, "")) for one in report.entries]
    render(out, rows, _COLUMNS, notes=report.notes)


_COLUMNS: list[Column[Row]] = [
    Column("DEVICE", lambda r: r.device),
    Column("PLACE", lambda r: r.place),
    Column("PROGRAM", lambda r: f"{r.entry.prog_id or ''} {r.name}".strip()),
    Column("BY", lambda r: r.entry.by),
]
