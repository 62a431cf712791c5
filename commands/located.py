"""Show loaded objects with where they are pinned and who holds them."""

from __future__ import annotations

from bpfctl.plain import plain
from bpfctl.plain_typing import Generic, Protocol, TypeVar

from .render import render, render_one
from .whereabouts import Whereabouts, whereabouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bpfctl.objects.ids import ObjectKind

    from .context import Context
    from .render import Column


class Info(Protocol):
    """What the kernel tells of an object."""

    @property
    def id(self) -> int:
        """Its number."""

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys, and ours."""


I = TypeVar("I", bound=Info)  # noqa: E741 - short for Info, as in render.py


@plain
class Located(Generic[I]):
    """An object with where it is pinned and who holds it."""

    info: I
    where: Whereabouts

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys, and ours."""
        return self.info.to_json() | self.where.to_json()


def show_located(
    out: Context,
    kind: ObjectKind,
    infos: Sequence[I],
    columns: Sequence[Column[Located[I]]],
    fields: Callable[[Located[I]], Iterable[tuple[str, object]]] | None = None,
    *,
    whole: bool,
) -> None:
    """Show objects; `whole` shows a single one with all its `fields`, those of JSON by default."""
    found, notes = whereabouts(kind, [info.id for info in infos])
    records = [Located(*pair) for pair in zip(infos, found, strict=True)]
    if whole and len(records) == 1:
        render_one(out, records[0], fields(records[0]) if fields else None, notes=notes)
    else:
        render(out, records, columns, notes=notes)
