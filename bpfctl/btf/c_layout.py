"""Where a C compiler would put the members of a struct, and what it must be told to agree with BTF.

BTF has offsets and sizes, C has rules. Where the rules give another place, padding is declared;
where no padding helps, the struct is packed. Alignment attributes are not in BTF: a struct that had
one gets padding instead, so that sizes and offsets are right wherever it is used.
Source of the rules: System V ABI, as clang applies them for BPF.
"""

from __future__ import annotations

from bpfctl.btf.decode import MAX_SIZE_BYTES, POINTER_BYTES
from bpfctl.btf.kinds import Kind
from bpfctl.btf.records import ENUMS, MODIFIERS, STRUCTS
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final, TypeAlias

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.records import Record
    from bpfctl.btf.types import Member

    Widths: TypeAlias = tuple[int, ...]

UNIT_BITS: Final = 64  # padding is declared in pieces that stay within one unit: those move nothing
MAX_UNITS: Final = 16  # longer gaps are declared as an array of bytes


class Rules(NamedTuple):
    """What C's rules go by, in bits: alignment and size of a type, 1 and 0 for what has none.

    `bits` and `first_bit` are those of an integer with fewer bits than its size has: before Linux
    4.20 that was how bit-fields were described.
    """

    align: int
    size: int
    bits: int = 0
    first_bit: int = 0


class Plan(NamedTuple):
    """How a struct is declared; `align` is its alignment in bits.

    Most members are declared by their types alone. What else there is goes by their places, from 0:
    `fillers` has the padding before a member, or behind the last one, as widths in bits: of unnamed
    bit-fields, and of an array of bytes where one is wider than UNIT_BITS. `bits` has the widths of
    bit-fields.
    """

    align: int
    fillers: dict[int, Widths]
    bits: dict[int, int]
    packed: bool = False


_UNKNOWN: Final = Rules(1, 0)
_POINTER: Final = Rules(8 * POINTER_BYTES, 8 * POINTER_BYTES)


class Layouts(dict[int, Rules]):
    """What C's rules go by for the types of one BTF, by their ids, and the plans of its structs.

    Asking for a type without a size raises BtfError.
    """

    def __init__(self, btf: Btf) -> None:
        super().__init__()
        self._btf = btf
        self._records = btf.records
        self._plans: dict[int, Plan] = {}
        self._finders: dict[int, Callable[[Record], Rules]] = {
            Kind.PTR: lambda _: _POINTER,
            Kind.ARRAY: self._array,
            **dict.fromkeys(STRUCTS, self._struct),
            **dict.fromkeys(MODIFIERS, lambda found: self[found.refers]),
            **dict.fromkeys((Kind.INT, Kind.FLOAT, *ENUMS), _scalar),
        }

    def __missing__(self, type_id: int) -> Rules:
        """Find them out."""
        found = self._records[type_id]
        find = self._finders.get(found.kind)
        if find is None:
            raise self._btf.error(f"type {found.id} has no size", found.id)
        self[type_id] = _UNKNOWN  # ends the search in a struct that contains itself
        rules = self[type_id] = find(found)
        return rules

    def _struct(self, found: Record) -> Rules:
        return Rules(self.plan(found).align, 8 * found.refers)

    def _array(self, found: Record) -> Rules:
        elem_type_id, _, nelems = found.tail
        elem = self[elem_type_id]
        size_bytes = elem.size // 8 * nelems
        if size_bytes > MAX_SIZE_BYTES:
            raise self._btf.error(f"type {found.id} is {size_bytes} bytes large", found.id)
        return Rules(elem.align, 8 * size_bytes)

    def place(self, member: Member) -> tuple[int, int]:
        """The offset of a member in bits, and its width when it is a bit-field, else 0."""
        return _place(self[member.type_id], member.offset_bits, member.bitfield_bits)

    def plan(self, struct: Record) -> Plan:
        """How to declare a struct or union so that it gets the layout it has."""
        plan = self._plans.get(struct.id)
        if plan is None:
            plan = self._plans[struct.id] = self._in_c(struct) or self._packed(struct)
        return plan

    def _members(self, struct: Record) -> Iterator[tuple[int, tuple[Rules, int, int]]]:
        """The places of members with their types' rules, offsets, and widths if they say one."""
        rules = map(self.__getitem__, struct.references)
        return enumerate(zip(rules, *struct.places(), strict=True))

    def _in_c(self, struct: Record) -> Plan | None:
        """How the rules of C give the layout; None where they cannot."""
        fillers: dict[int, Widths] = {}
        bit_fields: dict[int, int] = {}
        is_union = struct.kind is Kind.UNION
        at, biggest = 0, 8
        for place, (rules, start, width) in self._members(struct):
            align, size, old_bits, _ = rules
            if align > biggest:
                biggest = align
            if start == at and not (width or old_bits or start % align):
                at += size  # nearly all lie right behind the one before
                continue
            if width or old_bits:
                offset, bits = _place(rules, start, width)
                if offset // size != (offset + bits - 1) // size:
                    return None
                # A bit-field never straddles a unit of its type.
                fits = at // size == (at + bits - 1) // size
                natural = at if fits else _rounded(at, size)
                bit_fields[place] = bits
                end = offset + bits
            elif start % align:
                return None
            else:
                offset, end = start, start + size
                natural = _rounded(at, align)
            if natural != offset and not is_union:
                fillers[place] = _padding(at, offset)
            if end > at or not is_union:
                at = end
        if 8 * struct.refers % biggest:
            return None
        if _rounded(at, biggest) != 8 * struct.refers:
            fillers[len(struct.references)] = _end(struct, at)
        return Plan(biggest, fillers, bit_fields)

    def _packed(self, struct: Record) -> Plan:
        """The layout without any rules: everything lies where the one before it ends."""
        fillers: dict[int, Widths] = {}
        bit_fields: dict[int, int] = {}
        is_union = struct.kind is Kind.UNION
        at = 0
        for place, (rules, start, width) in self._members(struct):
            offset, bits = _place(rules, start, width)
            if bits:
                bit_fields[place] = bits
            if offset != (at if bits else _rounded(at, 8)) and not is_union:
                fillers[place] = _padding(at, offset)
            end = offset + (bits or rules.size)
            at = max(at, end) if is_union else end
        if _rounded(at, 8) != 8 * struct.refers:
            fillers[len(struct.references)] = _end(struct, at)
        return Plan(8, fillers, bit_fields, packed=True)


def _scalar(found: Record) -> Rules:
    size = 8 * found.refers or 8  # 0 would be broken; nothing may divide by it
    if found.kind is Kind.INT:
        first_bit, bits = found.tail[0] >> 16 & 0xFF, found.tail[0] & 0xFF
        if bits != 8 * found.refers:
            return Rules(size, size, bits, first_bit)
    return Rules(size, size)


def _place(rules: Rules, offset: int, bits: int) -> tuple[int, int]:
    """Where a member lies, and its width if it is a bit-field; old ones have both in their type."""
    return (offset, bits) if bits else (offset + rules.first_bit, rules.bits)


def _end(struct: Record, at: int) -> Widths:
    """What it takes to make a struct as large as it is; its members end at bit `at`."""
    end = 8 * struct.refers
    # What is in a union lies over all else: one filler has to be as large as the whole.
    return (end,) if struct.kind is Kind.UNION else _padding(at, end)


def _rounded(at: int, align: int) -> int:
    return -(-at // align) * align


def _padding(begin: int, end: int) -> Widths:
    """Cut a gap into the widths of what fills it."""
    widths = []
    while begin < end:
        room = UNIT_BITS - begin % UNIT_BITS
        if room == UNIT_BITS and end - begin > MAX_UNITS * UNIT_BITS:
            room = (end - begin) // 8 * 8
        widths.append(min(room, end - begin))
        begin += room
    return tuple(widths)
