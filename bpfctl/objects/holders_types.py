"""What the search for holders finds."""

from __future__ import annotations

from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfctl.objects.ids import ObjectKind

    Object = tuple[ObjectKind, int]


@plain
class Holder:
    """One descriptor of a process that refers to an object.

    `comm` is what the process (its main thread) calls itself, with whatever bytes it put there:
    whoever shows it cleans it. Two descriptors of one object are two holders.
    """

    pid: int
    comm: str
    fd: int

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys ("pids": [{"pid", "comm"}]), and ours: "fd"."""
        return {"pid": self.pid, "comm": self.comm, "fd": self.fd}

    def __str__(self) -> str:
        return f"{self.comm}[{self.pid}] fd {self.fd}"


@plain
class Holders:
    """All holders by what they hold, each list ascending by pid and fd.

    `note` says in words what could not be looked at; None: everything was.
    """

    by: Mapping[Object, list[Holder]]
    note: str | None = None


@plain
class Sighting:
    """An object and one holder of it."""

    what: Object
    holder: Holder


def collect(sightings: list[Sighting], note: str | None = None) -> Holders:
    """Sort what was seen by object; what was seen twice counts once."""
    by: dict[Object, list[Holder]] = {}
    for seen in sorted(set(sightings), key=_order):
        by.setdefault(seen.what, []).append(seen.holder)
    return Holders(by, note)


def _order(seen: Sighting) -> tuple[str, int, int, int]:
    kind, number = seen.what
    return kind.name, number, seen.holder.pid, seen.holder.fd
