"""Show programs: a table, or all there is to tell of one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bpfctl.objects.holders import holders
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import pins
from bpfctl.plain import plain

from .render import Column, render, render_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.objects.holders import Holder
    from bpfctl.objects.prog import ProgInfo

    from .context import Context


@plain
class ProgRecord:
    """A program with where it is pinned and who holds it."""

    info: ProgInfo
    pinned: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys, and ours."""
        fields = self.info.to_json()
        if self.pinned:
            fields["pinned"] = list(self.pinned)
        if self.holders:
            fields["pids"] = [holder.to_json() for holder in self.holders]
        return fields


def show_programs(out: Context, infos: Sequence[ProgInfo], *, whole: bool) -> None:
    """Show programs; `whole` shows a single one with all its fields."""
    held = holders({(ObjectKind.PROG, info.id) for info in infos})
    places = pins()
    records = [
        ProgRecord(
            info,
            tuple(places.get((ObjectKind.PROG, info.id), ())),
            tuple(held.by.get((ObjectKind.PROG, info.id), ())),
        )
        for info in infos
    ]
    notes = [held.note] if held.note else []
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
    Column("PINNED", lambda r: r.pinned, 1),
    Column("HELD BY", lambda r: [str(holder) for holder in r.holders], 2),
]


def _fields(record: ProgRecord) -> list[tuple[str, object]]:
    """All there is to tell, a line each."""
    fields = record.to_json()
    fields["loaded_at"] = _loaded_at(record)
    fields["pids"] = [str(holder) for holder in record.holders] or None
    return list(fields.items())
