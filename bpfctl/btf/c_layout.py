"""Where a C compiler would put the members of a struct, and what it must be told to agree with BTF.

BTF has offsets and sizes, C has rules. Where the rules give another place, padding is declared;
where no padding helps, the struct is packed. Alignment attributes are not in BTF: a struct that had
one gets padding instead, so that sizes and offsets are right wherever it is used.
Source of the rules: System V ABI, as clang applies them for BPF.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.decode import POINTER_BYTES
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from bpfctl.btf.decode import Btf

UNIT_BITS = 64  # padding is declared in pieces that stay within one unit: those move nothing
MAX_UNITS = 16  # longer gaps are declared as an array of bytes


# A member with the padding before it; the last piece of a struct may have no member. The padding is
# widths in bits: of unnamed bit-fields, and of an array of bytes where one is wider than UNIT_BITS.
# The last number is the width of a bit-field, 0 for what is none. (Tuples: there are 75,000.)
Piece: TypeAlias = tuple[tuple[int, ...], t.Member | None, int]


class Plan(NamedTuple):
    """How a struct is declared: its pieces, whether it is packed, and its alignment in bits."""

    pieces: list[Piece]
    packed: bool
    align: int


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
        self._plans: dict[int, Plan] = {}

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
                return Rules(self._plan(found).align, 8 * found.size_bytes)
            case _:
                raise self._btf.error(f"type {found.id} has no size", found.id)

    def is_packed(self, struct: t.Struct) -> bool:
        """Whether the rules of C cannot give that layout unless it is declared packed."""
        return self._plan(struct).packed

    def pieces(self, struct: t.Struct) -> list[Piece]:
        """The members in order, with the padding that C would not put there by itself."""
        return self._plan(struct).pieces

    def place(self, member: t.Member) -> tuple[int, int]:
        """The offset of a member in bits, and its width when it is a bit-field, else 0."""
        if member.bitfield_bits:
            return member.offset_bits, member.bitfield_bits
        _, _, bits, first_bit = self.rules(member.type_id)
        return member.offset_bits + first_bit, bits

    def _plan(self, struct: t.Struct) -> Plan:
        plan = self._plans.get(struct.id)
        if plan is None:
            plan = self._in_c(struct) or self._packed(struct)
            self._plans[struct.id] = plan
        return plan

    def _in_c(self, struct: t.Struct) -> Plan | None:
        """How the rules of C give the layout; None where they cannot."""
        pieces: list[Piece] = []
        known, is_union = self._rules, struct.is_union
        at, biggest = 0, 8
        for member in struct.members:
            rules = known.get(member.type_id) or self.rules(member.type_id)
            align, size, bits, first_bit = rules
            offset = member.offset_bits
            if member.bitfield_bits:
                bits = member.bitfield_bits
            else:
                offset += first_bit
            if align > biggest:
                biggest = align
            if bits:
                if offset // size != (offset + bits - 1) // size:
                    return None
                # A bit-field never straddles a unit of its type.
                fits = at // size == (at + bits - 1) // size
                natural = at if fits else -(-at // size) * size
            elif offset % align:
                return None
            else:
                natural = -(-at // align) * align
            fits = natural == offset or is_union
            pieces.append((() if fits else _padding(at, offset), member, bits))
            at = max(at, offset + (bits or size)) if is_union else offset + (bits or size)
        if 8 * struct.size_bytes % biggest:
            return None
        return Plan(_with_end(struct, pieces, at, biggest), packed=False, align=biggest)

    def _packed(self, struct: t.Struct) -> Plan:
        """The layout without any rules: everything lies where the one before it ends."""
        pieces: list[Piece] = []
        at = 0
        for member in struct.members:
            offset, bits = self.place(member)
            natural = at if bits else _rounded(at, 8)
            fits = natural == offset or struct.is_union
            pieces.append((() if fits else _padding(at, offset), member, bits))
            end = offset + (bits or self.rules(member.type_id).size)
            at = max(at, end) if struct.is_union else end
        return Plan(_with_end(struct, pieces, at, 8), packed=True, align=8)


def _with_end(struct: t.Struct, pieces: list[Piece], at: int, align: int) -> list[Piece]:
    """The pieces, and what it takes to make the struct as large as it is."""
    end = 8 * struct.size_bytes
    if _rounded(at, align) != end:
        # What is in a union lies over all else: one filler has to be as large as the whole.
        pieces.append(((end,) if struct.is_union else _padding(at, end), None, 0))
    return pieces


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
