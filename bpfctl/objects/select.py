"""Which objects somebody means: by id, name, tag or pinned path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpfctl.objects.ids import ObjectKind


@dataclass(frozen=True, slots=True)
class Selector:
    """A choice of objects of one kind.

    `by` is "id" (`value` is a decimal number), "name", "tag" (lower-case hexadecimal digits) or
    "pinned" (a path). Ids and pins mean one object, names and tags perhaps several.
    """

    kind: ObjectKind
    by: str
    value: str

    def __str__(self) -> str:
        return f"{self.by} {self.value}"
