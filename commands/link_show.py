"""Show links: a table, or all there is to tell of one."""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError, SyscallError
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.plain import plain

from .render import Column, render, render_one
from .whereabouts import whereabouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bpfctl.objects.link import LinkInfo
    from bpfctl.objects.link_targets import Target

    from .context import Context
    from .whereabouts import Whereabouts


@plain
class LinkRecord:
    """A link with its target in words, its pins and holders, and its program's name."""

    info: LinkInfo
    target: Target
    where: Whereabouts
    prog_name: str = ""

    @property
    def program(self) -> str | None:
        """The program's id and name; None for what runs no program."""
        return f"{self.info.prog_id} {self.prog_name}".rstrip() if self.info.prog_id else None

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys, and ours: "prog_name", "attached_to"."""
        fields = self.info.to_json() | self.target.facts
        if self.prog_name:
            fields["prog_name"] = self.prog_name
        fields["attached_to"] = self.target.words
        return fields | self.where.to_json()


def show_links(out: Context, infos: Sequence[LinkInfo], *, whole: bool) -> None:
    """Show links; `whole` shows a single one with all its fields."""
    records, notes = link_records(infos)
    if whole and len(records) == 1:
        render_one(out, records[0], _fields(records[0]), notes=notes)
    else:
        render(out, records, _COLUMNS, notes=notes)


def link_records(infos: Sequence[LinkInfo]) -> tuple[list[LinkRecord], list[str]]:
    """Complete what the kernel tells of links; the second part is what could not be found out."""
    if not infos:  # and the words for targets need not be imported
        return [], []
    from bpfctl.objects.link_targets import Targets

    found, notes = whereabouts(ObjectKind.LINK, [info.id for info in infos])
    targets = Targets(infos)
    names, denied = _prog_names({info.prog_id for info in infos if info.prog_id})
    records = [
        LinkRecord(info, targets.describe(info), where, names.get(info.prog_id, ""))
        for info, where in zip(infos, found, strict=True)
    ]
    return records, [*notes, *denied]


def _prog_names(prog_ids: Collection[int]) -> tuple[dict[int, str], list[str]]:
    """Name programs, but for those that went away meanwhile; say why where that is denied."""
    from bpfctl.objects.prog import prog_info

    names: dict[int, str] = {}
    for prog_id in prog_ids:
        try:
            with open_id(ObjectKind.PROG, prog_id) as fd:
                names[prog_id] = prog_info(fd).name
        except SyscallError as err:
            if err.errno == errno.EPERM:
                return names, ["the names of programs could not be read: that takes CAP_SYS_ADMIN"]
        except BpfctlError:
            continue
    return names, []


_COLUMNS: list[Column[LinkRecord]] = [
    Column("ID", lambda r: r.info.id, right=True),
    Column("TYPE", lambda r: r.info.type_name, 3),
    Column("PROGRAM", lambda r: r.program),
    Column("ATTACHED TO", lambda r: r.target.words),
    Column("PINNED", lambda r: r.where.pinned, 1),
    Column("HELD BY", lambda r: r.where.held_by, 2),
]


def _fields(record: LinkRecord) -> list[tuple[str, object]]:
    """All there is to tell, a line each: what people ask first, then the kernel's numbers."""
    first: dict[str, object] = {
        "id": record.info.id,
        "type": record.info.type_name,
        "program": record.program,
        "attached to": record.target.words,
        "pinned": record.where.pinned,
        "held by": record.where.held_by,
    }
    told = {"id", "type", "prog_id", "prog_name", "attached_to", "pinned", "pids", "funcs"}
    rest = {name: value for name, value in record.to_json().items() if name not in told}
    return list((first | rest).items())
