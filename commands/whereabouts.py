"""Where objects are pinned and who holds them: what all listings show beside the object itself."""

from __future__ import annotations

from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.objects.holders import Holder
    from bpfctl.objects.ids import ObjectKind


@plain
class Whereabouts:
    """The pins and the holders of one object."""

    pinned: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()

    @property
    def held_by(self) -> list[str]:
        """The holders in words."""
        return [str(holder) for holder in self.holders]

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys, where there is something to tell; "fd" is ours."""
        fields: dict[str, object] = {}
        if self.pinned:
            fields["pinned"] = list(self.pinned)
        if self.holders:
            fields["pids"] = [holder.to_json() for holder in self.holders]
        return fields


def whereabouts(kind: ObjectKind, ids: Sequence[int]) -> tuple[list[Whereabouts], list[str]]:
    """Find out for objects of one kind, in the order of their ids; with what stays unknown."""
    if not ids:  # nothing to look up: start-up is all that a user waits for
        return [], []
    from bpfctl.objects.holders import holders
    from bpfctl.objects.pin import pins

    held, places = holders({(kind, number) for number in ids}), pins()
    found = [
        Whereabouts(tuple(places.get((kind, number), ())), tuple(held.by.get((kind, number), ())))
        for number in ids
    ]
    return found, [held.note] if held.note else []
