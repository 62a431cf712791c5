"""Show programs: a table, or all there is to tell of one."""

from __future__ import annotations

from datetime import datetime

from bpfctl.objects.ids import ObjectKind

from .located import show_located
from .render import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.objects.prog import ProgInfo

    from .context import Context
    from .located import Located


def show_programs(out: Context, infos: Sequence[ProgInfo], *, whole: bool) -> None:
    """Show programs; `whole` shows a single one with all its fields."""
    show_located(out, ObjectKind.PROG, infos, _COLUMNS, _fields, whole=whole)


def _loaded_at(record: Located[ProgInfo]) -> str | None:
    seconds = record.info.loaded_at
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


_COLUMNS: list[Column[Located[ProgInfo]]] = [
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


def _fields(record: Located[ProgInfo]) -> list[tuple[str, object]]:
    """All there is to tell, a line each."""
    fields = record.to_json()
    fields["loaded_at"] = _loaded_at(record)
    fields["pids"] = record.where.held_by or None
    return list(fields.items())
