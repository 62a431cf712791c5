"""Where the members of a struct lie, for people: anonymous structs opened, holes counted.

Offsets count from the outermost struct. A hole is what lies between two members of a struct and is
used by none, padding what lies behind its last one; a union has neither.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.c_layout import Layouts
from bpfctl.btf.c_names import declaration, type_name
from bpfctl.btf.decode import MAX_DEPTH
from bpfctl.btf.raw import NAMELESS
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from bpfctl.btf.decode import Btf

MAX_FIELDS: Final = 1 << 13  # of one struct with all that is opened; hostile ones have no end


@plain
class Field:
    """A member. `base` and `declarator` are its declaration: "struct list_head", "tasks[2]".

    `bitfield_bits` is 0 for what is no bit-field, `hole_bits` what lies unused before it. A struct
    or union that was opened has its own members in `inside`; anonymous ones always are.
    """

    name: str
    type: str
    base: str
    declarator: str
    type_id: int
    offset_bits: int
    size_bytes: int
    bitfield_bits: int = 0
    hole_bits: int = 0
    inside: Inside | None = None

    def to_json(self) -> dict[str, Any]:
        """The field by bpftool's keys where it has them, and its place in bytes."""
        record: dict[str, Any] = {"name": self.name or NAMELESS, "type": self.type}
        record |= {
            "type_id": self.type_id,
            "offset": self.offset_bits // 8,
            "size": self.size_bytes,
        }
        record["bits_offset"] = self.offset_bits
        if self.bitfield_bits:
            record["bitfield_size"] = self.bitfield_bits
        if self.hole_bits:
            record["hole_bits_before"] = self.hole_bits
        return record | (self.inside.to_json() if self.inside else {})


@plain
class Inside:
    """The members of a struct or union, and the bits unused behind the last one."""

    is_union: bool
    fields: tuple[Field, ...]
    padding_bits: int = 0

    @property
    def holes(self) -> list[int]:
        """The bits of each hole, those of anonymous structs inside included."""
        found = [one.hole_bits for one in self.fields if one.hole_bits]
        return found + [hole for one in self.fields if one.inside for hole in one.inside.holes]

    def to_json(self) -> dict[str, Any]:
        """The members and what is unused, in bits."""
        return {
            "members": [one.to_json() for one in self.fields],
            "holes": len(self.holes),
            "hole_bits": sum(self.holes),
            "padding_bits": self.padding_bits,
        }


def inside(btf: Btf, struct: t.Struct, *, expand: bool = False) -> Inside:
    """The layout of a struct or union; `expand` opens those with names too.

    Raises: BtfError for members without a size, and for structs that contain themselves.
    """
    return _Walk(btf, expand=expand).inside(struct, 0, 0)


class _Walk:
    def __init__(self, btf: Btf, *, expand: bool) -> None:
        self._btf = btf
        self._expand = expand
        self._layouts = Layouts(btf)
        self._left = MAX_FIELDS

    def inside(self, struct: t.Struct, base_bits: int, depth: int) -> Inside:
        if depth > MAX_DEPTH:
            raise self._btf.error(f"type {struct.id} is nested too deeply", struct.id)
        fields = tuple(self._fields(struct, base_bits, depth))
        if struct.is_union:
            return Inside(is_union=True, fields=fields)
        end = max((_end(one) for one in fields), default=base_bits)
        padding = max(0, base_bits + 8 * struct.size_bytes - end)
        return Inside(is_union=False, fields=fields, padding_bits=padding)

    def _fields(self, struct: t.Struct, base_bits: int, depth: int) -> Iterator[Field]:
        at = base_bits
        for member in struct.members:
            self._left -= 1
            if self._left < 0:
                raise self._btf.error(f"type {struct.id} has more than {MAX_FIELDS} members")
            offset, bits = self._layouts.place(member)
            hole = 0 if struct.is_union else max(0, base_bits + offset - at)
            field = self._field(member, base_bits + offset, bits, hole, depth)
            at = max(at, _end(field))
            yield field

    def _field(self, member: t.Member, place: int, bits: int, hole: int, depth: int) -> Field:
        opened = self._opened(member)
        inner = self.inside(opened, place, depth + 1) if opened else None
        type_id, btf = member.type_id, self._btf
        words = (type_name(btf, type_id), *declaration(btf, type_id, member.name))
        size = btf.size_of(type_id)
        return Field(member.name, *words, type_id, place, size, bits, hole, inner)

    def _opened(self, member: t.Member) -> t.Struct | None:
        """The struct behind arrays and qualifiers that is shown with its members."""
        type_id = member.type_id
        for _ in range(MAX_DEPTH):
            found = self._btf.type(type_id)
            if isinstance(found, t.Array):
                type_id = found.elem_type_id
            elif isinstance(found, t.Modifier) and (
                self._expand or not isinstance(found, t.Typedef)
            ):
                type_id = found.type_id
            elif isinstance(found, t.Struct) and (self._expand or not found.name):
                return found
            else:
                return None
        raise self._btf.error(f"type {member.type_id} is nested too deeply", member.type_id)


def _end(field: Field) -> int:
    return field.offset_bits + (field.bitfield_bits or 8 * field.size_bytes)
