"""`bpfctl help sections`: every name a program's section may have."""

from __future__ import annotations

from bpfctl.plain import plain

from .render import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.section_def import SectionDef

    from .context import Context


@plain
class SectionRecord:
    """One row of the table of section names."""

    definition: SectionDef

    @property
    def prog_type(self) -> str:
        """The program type's name."""
        return self.definition.prog_type.name.lower()

    @property
    def attach_type(self) -> str | None:
        """The attach type's name, None where the kernel is told none."""
        kind = self.definition.attach_type
        return None if kind is None else kind.name.lower()

    @property
    def flags(self) -> list[str]:
        """What else the kernel is told, or wants to know at load time."""
        known = {
            "sleepable": self.definition.sleepable,
            "frags": self.definition.frags,
            "BTF target": self.definition.btf_target,
        }
        return [name for name, is_set in known.items() if is_set]

    def to_json(self) -> dict[str, object]:
        """Return all fields."""
        row = self.definition
        return {
            "name": row.name,
            "form": row.form,
            "follow": row.follow.value,
            "prog_type": self.prog_type,
            "attach_type": self.attach_type,
            "attach": row.kind.value,
            "sleepable": row.sleepable,
            "frags": row.frags,
            "btf_target": row.btf_target,
            "since": row.since,
            "modern": list(row.modern),
        }


COLUMNS: tuple[Column[SectionRecord], ...] = (
    Column("SECTION", lambda row: row.definition.form),
    Column("PROGRAM TYPE", lambda row: row.prog_type, priority=1),
    Column("ATTACH TYPE", lambda row: row.attach_type, priority=3),
    Column("FLAGS", lambda row: row.flags, priority=4),
    Column("SINCE", lambda row: row.definition.since, priority=2),
    Column("WRITE INSTEAD", lambda row: row.definition.modern, priority=5),
)


def show_sections(out: Context) -> None:
    """Write the table."""
    from bpfctl.elf.sections import definitions

    render(out, [SectionRecord(row) for row in definitions()], COLUMNS)
