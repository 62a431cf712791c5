"""Where a C compiler would put the members of a struct, and what it must be told to agree with BTF.

BTF has offsets and sizes, C has rules. Where the rules give another place, padding is declared;
where no padding helps, the struct is packed. Alignment attributes are not in BTF: a struct that had
one gets padding instead, so that sizes and offsets are right wherever it is used.
Source of the rules: System V ABI, as clang applies them for BPF.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bpfctl.btf import types as t
from bpfctl.btf.decode import POINTER_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.btf.decode import Btf

UNIT_BITS = 64  # padding is declared in pieces that stay within one unit: those move nothing
MAX_UNITS = 16  # longer gaps are declared as an array of bytes


class Piece(NamedTuple):
    """A member with the padding before it; the last piece of a struct may have no member.

    `padding` are widths in bits: of unnamed bit-fields, and of an array of bytes where one is wider
    than UNIT_BITS. `bits` is the width of a bit-field, 0 for what is none.
    """

    padding: tuple[int, ...]
    member: t.Member | None
    bits: int = 0


class Rules(NamedTuple):
    """What C's rules go by, in bits: alignment and size of a type, 1 and 0 for what has none.

    `bits` and `first_bit` are those of an integer with fewer bits than its size has: before Linux
    4.20 that was how bit-fields were described.
    """

    align: int
    size: int
    bits: int = 0
    first_bit: int = 0


class Layouts:
    """The layout of the structs of one BTF; what was found out about a type is kept."""

    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._rules: dict[int, Rules] = {}
        self._packed: dict[int, bool] = {}

    def rules(self, type_id: int) -> Rules:
        """What C's rules go by for a type. Raises: BtfError for a type without a size."""
        known = self._rules.get(type_id)
        if known is None:
            self._rules[type_id] = Rules(1, 0)  # ends the search in a struct that contains itself
            known = self._rules[type_id] = self._find_rules(self._btf.type(type_id))
        return known

    def _find_rules(self, found: t.Type) -> Rules:
        match found:
            case t.Modifier():
                return self.rules(found.type_id)
            case t.Int() if found.bits != 8 * found.size_bytes:
                size = 8 * found.size_bytes or 8
                return Rules(size, size, found.bits, found.offset_bits)
            case t.Ptr():
                return Rules(8 * POINTER_BYTES, 8 * POINTER_BYTES)
            case t.Array():
                elem = self.rules(found.elem_type_id)
                return Rules(elem.align, 8 * self._btf.size_of(found.id))
            case t.Int() | t.Enum() | t.Float():
                size = 8 * found.size_bytes or 8  # 0 would be broken; nothing may divide by it
                return Rules(size, size)
            case t.Struct():
                align = 8 if self.is_packed(found) else self._natural_align(found)
                return Rules(align, 8 * found.size_bytes)
            case _:
                raise self._btf.error(f"type {found.id} has no size", found.id)

    def _natural_align(self, struct: t.Struct) -> int:
        return max((self.rules(member.type_id).align for member in struct.members), default=8)

    def is_packed(self, struct: t.Struct) -> bool:
        """Whether the rules of C cannot give that layout unless it is declared packed."""
        known = self._packed.get(struct.id)
        if known is None:
            known = self._packed[struct.id] = self._must_pack(struct)
        return known

    def _must_pack(self, struct: t.Struct) -> bool:
        biggest = 8
        for member in struct.members:
            align, size, _, _ = self.rules(member.type_id)
            biggest = max(biggest, align)
            offset, bits = self.place(member)
            if not bits and offset % align:
                return True
            if bits and offset // size != (offset + bits - 1) // size:
                return True
        return 8 * struct.size_bytes % biggest != 0

    def place(self, member: t.Member) -> tuple[int, int]:
        """The offset of a member in bits, and its width when it is a bit-field, else 0."""
        if member.bitfield_bits:
            return member.offset_bits, member.bitfield_bits
        _, _, bits, first_bit = self.rules(member.type_id)
        return member.offset_bits + first_bit, bits

    def pieces(self, struct: t.Struct) -> Iterator[Piece]:
        """Yield the members in order, with the padding that C would not put there by itself."""
        if struct.is_union:
            yield from (Piece((), member, self.place(member)[1]) for member in struct.members)
            return
        packed, at, biggest = self.is_packed(struct), 0, 8
        for member in struct.members:
            align, size, _, _ = self.rules(member.type_id)
            biggest = max(biggest, align)
            offset, bits = self.place(member)
            if not bits:
                natural = _rounded(at, 8 if packed else align)
            elif packed or at // size == (at + bits - 1) // size:
                natural = at  # a bit-field never straddles a unit of its type
            else:
                natural = _rounded(at, size)
            yield Piece(_padding(at, offset) if natural != offset else (), member, bits)
            at = offset + (bits or size)
        if _rounded(at, 8 if packed else biggest) != 8 * struct.size_bytes:
            yield Piece(_padding(at, 8 * struct.size_bytes), None)


def _rounded(at: int, align: int) -> int:
    return -(-at // align) * align


def _padding(begin: int, end: int) -> tuple[int, ...]:
    """Cut a gap into the widths of what fills it."""
    widths = []
    while begin < end:
        room = UNIT_BITS - begin % UNIT_BITS
        if room == UNIT_BITS and end - begin > MAX_UNITS * UNIT_BITS:
            room = (end - begin) // 8 * 8
        widths.append(min(room, end - begin))
        begin += room
    return tuple(widths)
