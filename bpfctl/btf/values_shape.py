"""From a BTF type to the shape of its values: which leaf lies where, and how they nest.

Types come from whoever loaded the map, so a shape is bounded: each part lies inside of what holds
it, nothing contains itself, and the number of values that one entry expands to has a limit.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf import values_leaf as leaf
from bpfctl.btf.values_leaf import Bits, Leaf, Style
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.values_leaf import Value

MAX_DEPTH = 64
MAX_VALUES = 1 << 24  # of one entry: unions and empty structs expand to more than their bytes


@plain
class Items:
    """An array: `count` items, `item.size` bytes apart."""

    item: Node
    count: int

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self.item.size * self.count

    @property
    def weight(self) -> int:
        """How many values it stands for."""
        return 1 + self.item.weight * self.count


@plain
class Field:
    """A named part; an anonymous one that is to be merged into what holds it has no name."""

    name: str | None
    offset: int
    node: Node


@plain
class Fields:
    """A struct, union or data section. `is_list`: shown as a list of objects of one key each."""

    fields: tuple[Field, ...]
    size: int
    weight: int
    is_list: bool = False


Node = Leaf | Items | Fields


def compile_shape(btf: Btf, type_id: int, style: Style) -> Node:
    """The shape of the values of a type. Raises: BtfError for a type that has no values."""
    return _Compiler(btf, style).node(type_id, 0)


class _Compiler:
    """One walk over the types that make up a value; each is compiled once."""

    def __init__(self, btf: Btf, style: Style) -> None:
        self.btf = btf
        self.style = style
        self.done: dict[int, Node] = {}

    def node(self, type_id: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.error(type_id, "contains itself or is nested too deeply")
        at = self.btf.skip_modifiers(type_id)
        found = self.done.get(at)
        if found is None:
            found = self.done[at] = self.compile(self.btf.type(at), depth)
            if found.weight > MAX_VALUES:
                raise self.error(type_id, f"has more than {MAX_VALUES} values in it")
        return found

    def compile(self, found: t.Type, depth: int) -> Node:
        match found:
            case t.Int():
                return self.integer(found)
            case t.Ptr():
                return leaf.number(64, signed=False)
            case t.Enum():
                return self.enum(found)
            case t.Float():
                return leaf.real(found.size_bytes, self.btf.order)
            case t.Array():
                return self.array(found, depth + 1)
            case t.Struct():
                return self.struct(found, depth + 1)
            case t.Datasec():
                return self.datasec(found, depth + 1)
        raise self.error(found.id, f"is a {found.kind.name} and has no values")

    def integer(self, found: t.Int) -> Node:
        """Integers that do not fill their bytes are bit-fields of themselves."""
        if found.is_bool and found.bits == 8 * found.size_bytes:
            return leaf.boolean(found.size_bytes)
        if found.offset_bits or found.bits not in leaf.NATIVE_CODES:
            self.check_inside(found, found.offset_bits + found.bits, found.size_bytes)
            bits = Bits(found.offset_bits, found.bits, self.signed(found))
            return self.widened(
                bits.leaf(self.btf.order, self.shown(found, bits.count)), bits, found
            )
        self.check_inside(found, found.bits, found.size_bytes)
        if found.is_char and found.bits == 8 and self.style is Style.BPFTOOL:
            return leaf.letter()
        if found.bits == 8 * found.size_bytes:
            return leaf.number(found.bits, signed=found.is_signed)
        bits = Bits(0, found.bits, found.is_signed)
        return self.widened(bits.leaf(self.btf.order, lambda value: value), bits, found)

    def widened(self, part: Leaf, bits: Bits, found: t.Int) -> Leaf:
        """Let a bit-field take the room of the integer that it is a part of."""
        first, last, decode = bits.first_byte, bits.first_byte + part.size, part.decode
        assert decode is not None
        return leaf.raw(found.size_bytes, lambda data: decode(data[first:last]))

    def signed(self, found: t.Int) -> bool:
        return found.is_signed and self.style is Style.NATURAL

    def shown(self, found: t.Type, count: int) -> Callable[[int], Value]:
        """How a bit-field of that type and `count` bits is shown, given its number."""
        if self.style is Style.BPFTOOL:
            return leaf.hexadecimal
        if isinstance(found, t.Int) and found.is_bool:
            return bool
        if isinstance(found, t.Enum):
            mask = (1 << count) - 1
            names = {entry.value & mask: entry.name for entry in reversed(found.values)}
            return lambda value: names.get(value & mask, value)
        return lambda value: value

    def enum(self, found: t.Enum) -> Leaf:
        """32-bit enums count as signed: their producers long said nothing of the sign."""
        if found.size_bytes not in {1, 2, 4, 8}:
            raise self.error(found.id, f"is an enum of {found.size_bytes} bytes")
        names = {entry.value: entry.name for entry in reversed(found.values)}
        signed = found.signed or not found.is64
        return leaf.enumeration(found.size_bytes, names, self.btf.order, signed=signed)

    def array(self, found: t.Array, depth: int) -> Node:
        if self.is_text(found):
            return leaf.characters(found.nelems, self.style)
        return Items(self.node(found.elem_type_id, depth), found.nelems)

    def is_text(self, found: t.Array) -> bool:
        """Whether an array holds characters. bpftool does not look behind a typedef."""
        item = self.btf.type(found.elem_type_id)
        behind = self.btf.type(self.btf.skip_modifiers(found.elem_type_id))
        if not isinstance(behind, t.Int) or behind.bits != 8 or behind.size_bytes != 1:
            return False
        if self.style is Style.BPFTOOL:
            while isinstance(item, t.Modifier) and not isinstance(item, t.Typedef):
                item = self.btf.type(item.type_id)
            return found.nelems > 0 and item.name == "char" and item.id == behind.id
        return found.nelems > 0 and (behind.name == "char" or behind.is_char)

    def struct(self, found: t.Struct, depth: int) -> Node:
        fields = tuple(self.member(found, member, depth) for member in found.members)
        return self.fields(found, fields, found.size_bytes)

    def member(self, owner: t.Struct, member: t.Member, depth: int) -> Field:
        name = None if not member.name and self.style is Style.NATURAL else member.name
        behind = self.btf.type(self.btf.skip_modifiers(member.type_id))
        bits = _bit_field(member, behind, self.style)
        if bits is None:
            node = self.node(member.type_id, depth)
            offset = member.offset_bits // 8
        else:
            if not 0 < bits.count <= 128:
                raise self.error(owner.id, f"has a bit-field of {bits.count} bits")
            node = bits.leaf(self.btf.order, self.shown(behind, bits.count))
            offset = bits.first_byte
        self.check_inside(owner, 8 * (offset + node.size), owner.size_bytes)
        if name is None and not isinstance(node, Fields):
            name = ""
        return Field(name, offset, node)

    def datasec(self, found: t.Datasec, depth: int) -> Node:
        fields = []
        for info in found.vars:
            var = self.btf.type(info.type_id)
            if not isinstance(var, t.Var):
                raise self.error(found.id, "holds something that is no variable")
            node = self.node(var.type_id, depth)
            self.check_inside(found, 8 * (info.offset + node.size), found.size_bytes)
            fields.append(Field(var.name, info.offset, node))
        inner = self.fields(found, tuple(fields), found.size_bytes)
        if self.style is Style.NATURAL:
            return inner
        listed = Fields(inner.fields, inner.size, inner.weight, is_list=True)
        return self.fields(found, (Field(found.name, 0, listed),), found.size_bytes)

    def fields(self, owner: t.Type, fields: tuple[Field, ...], size: int) -> Fields:
        weight = 1 + sum(field.node.weight for field in fields)
        if weight > MAX_VALUES:
            raise self.error(owner.id, f"has more than {MAX_VALUES} values in it")
        return Fields(fields, size, weight)

    def check_inside(self, owner: t.Type, end_bits: int, size_bytes: int) -> None:
        if end_bits > 8 * size_bytes:
            raise self.error(owner.id, "has a part that reaches beyond its end")

    def error(self, type_id: int, what: str) -> Exception:
        name = self.btf.type_name(type_id)
        message = f"values of type {name!r} cannot be shown: it {what}"
        return self.btf.error(message, type_id, code="btf-no-values")


def _bit_field(member: t.Member, behind: t.Type, style: Style) -> Bits | None:
    """Where a member's bits are, None for a member that is no bit-field.

    Before Linux 5.1 a bit-field was a member of an `Int` that said how many of its bits count.
    """
    signed = style is Style.NATURAL and _is_signed(behind)
    if member.bitfield_bits:
        return Bits(member.offset_bits, member.bitfield_bits, signed)
    if isinstance(behind, t.Int) and (
        member.offset_bits % 8 or behind.offset_bits or behind.bits % 8
    ):
        return Bits(member.offset_bits + behind.offset_bits, behind.bits, signed)
    return None


def _is_signed(found: t.Type) -> bool:
    if isinstance(found, t.Enum):
        return found.signed
    return isinstance(found, t.Int) and found.is_signed
