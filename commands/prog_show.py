"""Show programs: a table, or all there is to tell of one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bpfctl.objects.ids import ObjectKind
from bpfctl.plain import plain

from .render import Column, render, render_one
from .whereabouts import whereabouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.objects.prog import ProgInfo

    from .context import Context
    from .whereabouts import Whereabouts


@plain
class ProgRecord:
    """A program with where it is pinned and who holds it."""

    info: ProgInfo
    where: Whereabouts

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys, and ours."""
        return self.info.to_json() | self.where.to_json()


def show_programs(out: Context, infos: Sequence[ProgInfo], *, whole: bool) -> None:
    """Show programs; `whole` shows a single one with all its fields."""
    found, notes = whereabouts(ObjectKind.PROG, [info.id for info in infos])
    records = [ProgRecord(*pair) for pair in zip(infos, found, strict=True)]
    if whole and len(records) == 1:
        render_one(out, records[0], _fields(records[0]), notes=notes)
    else:
        render(out, records, _COLUMNS, notes=notes)


def _loaded_at(record: ProgRecord) -> str | None:
    seconds = record.info.loaded_at
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


_COLUMNS: list[Column[ProgRecord]] = [
    Column("ID", lambda r: r.info.id, right=True),
    Column("TYPE", lambda r: r.info.type_name),
    Column("NAME", lambda r: r.info.name),
    Column("TAG", lambda r: r.info.tag, 5),
    Column("LOADED AT", _loaded_at, 4),
    Column("UID", lambda r: r.info.uid, 7, right=True, wide=True),
    Column("INSNS", lambda r: r.info.bytes_xlated // 8, 6, right=True, wide=True),
    Column("RUNS", lambda r: r.info.run_cnt or None, 6, right=True, wide=True),
    Column("MAPS", lambda r: r.info.map_ids, 3),
    Column("BTF", lambda r: r.info.btf_id, 7, right=True, wide=True),
    Column("PINNED", lambda r: r.where.pinned, 1),
    Column("HELD BY", lambda r: r.where.held_by, 2),
]


def _fields(record: ProgRecord) -> list[tuple[str, object]]:
    """All there is to tell, a line each."""
    fields = record.to_json()
    fields["loaded_at"] = _loaded_at(record)
    fields["pids"] = record.where.held_by or None
    return list(fields.items())
