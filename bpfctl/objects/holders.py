"""Which processes hold an object open."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpfctl.linux.fdinfo import read_fdinfo
from bpfctl.linux.procs import command_name, descriptors, process_ids
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import kind_of_file

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID_FIELD = {
    ObjectKind.PROG: "prog_id",
    ObjectKind.MAP: "map_id",
    ObjectKind.LINK: "link_id",
    ObjectKind.BTF: "btf_id",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """A process and those of its descriptors that refer to one object."""

    pid: int
    comm: str
    fds: tuple[int, ...]

    def to_json(self) -> dict[str, object]:
        """The fields by bpftool's keys, and ours: "fds"."""
        return {"pid": self.pid, "comm": self.comm, "fds": list(self.fds)}

    def __str__(self) -> str:
        numbers = ",".join(str(number) for number in self.fds)
        return f"{self.comm}[{self.pid}] fd {numbers}"


@dataclass(frozen=True, slots=True)
class Holders:
    """All holders by object, and what could not be looked at; None where nothing was missed."""

    by: Mapping[tuple[ObjectKind, int], list[Holder]] = field(default_factory=dict)
    note: str | None = None


def holders() -> Holders:
    """Return who holds what, other than this process."""
    found: dict[tuple[ObjectKind, int], list[Holder]] = {}
    hidden = 0
    for pid in process_ids():
        if pid == os.getpid():
            continue
        opened = descriptors(pid)
        if opened is None:
            hidden += 1
            continue
        for (kind, number), fds in _objects(pid, opened.targets).items():
            comm = command_name(pid)
            found.setdefault((kind, number), []).append(Holder(pid, comm, tuple(fds)))
    note = f"holders: {hidden} processes could not be looked at" if hidden else None
    return Holders(found, note)


def _objects(pid: int, targets: Mapping[int, str]) -> dict[tuple[ObjectKind, int], list[int]]:
    found: dict[tuple[ObjectKind, int], list[int]] = {}
    for number, target in sorted(targets.items()):
        kind = kind_of_file(target)
        fields = read_fdinfo(pid, number) if kind else None
        if kind and fields and fields.get(_ID_FIELD[kind], "").isdecimal():
            found.setdefault((kind, int(fields[_ID_FIELD[kind]])), []).append(number)
    return found
