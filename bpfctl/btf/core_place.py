"""Find a field of the object in a type of the kernel, and compute what relocations ask of it."""

from __future__ import annotations

from bpfctl.btf.core_access import Place, Step, enter_element
from bpfctl.btf.core_compat import MAX_DEPTH, fields_agree, too_deep
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.btf.core_names import describe
from bpfctl.btf.types import Array, Int, Ptr, Struct
from bpfctl.errors import RelocationError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.core_members import Members
    from bpfctl.btf.decode import Btf


@plain
class Mismatch:
    """Why a type of the kernel does not have the field, in words.

    `missing` is the member's name if it was the name that failed, `available` those there are.
    """

    reason: str
    missing: str = ""
    available: tuple[str, ...] = ()


def find_place(
    local: Btf, steps: tuple[Step, ...], target: Btf, target_id: int, members: Members
) -> Place | Mismatch:
    """Take the steps of an access in a type of the kernel. `members` belongs to `target`."""
    at = target.skip_modifiers(target_id)
    first = steps[0].index
    place = Place(at, first * target.size_of(at) * 8 if first else 0)
    may_flex = False
    for step in steps[1:]:
        found = target.type(target.skip_modifiers(place.type_id))
        if step.name is None:
            entered = _enter_array(target, place, step.index, may_flex=may_flex)
            may_flex = False
        elif not isinstance(found, Struct):
            return Mismatch(f'no member "{step.name}": the kernel has {describe(found)} there')
        else:
            named = members.of(found).get(step.name)
            if named is None:
                return _no_member(found, step.name, members)
            if not fields_agree(local, step.type_id, target, named.member.type_id):
                return _other_type(found, step, local, target, named.member.type_id)
            offset_bits = place.offset_bits + named.offset_bits
            entered = Place(named.member.type_id, offset_bits, named.member.bitfield_bits)
            may_flex = named.may_flex
        if isinstance(entered, Mismatch):
            return entered
        place = entered
    return place


def _enter_array(target: Btf, place: Place, index: int, *, may_flex: bool) -> Place | Mismatch:
    found = target.type(target.skip_modifiers(place.type_id))
    if not isinstance(found, Array):
        return Mismatch(f"the kernel has {describe(found)} and no array there")
    if index >= found.nelems and not (may_flex and found.nelems == 0):
        return Mismatch(f"the kernel's array has {found.nelems} elements, not {index + 1}")
    return enter_element(target, place, found, index)


def _no_member(struct: Struct, name: str, members: Members) -> Mismatch:
    reason = f'the kernel\'s {describe(struct)} has no member "{name}"'
    return Mismatch(reason, missing=name, available=tuple(members.of(struct)))


def _other_type(struct: Struct, step: Step, local: Btf, target: Btf, type_id: int) -> Mismatch:
    theirs, ours = target.type_name(type_id), local.type_name(step.type_id)
    return Mismatch(
        f'member "{step.name}" of the kernel\'s {describe(struct)} is "{theirs}", '
        f'which cannot be read as "{ours}"'
    )


def field_value(btf: Btf, place: Place, kind: CoreKind) -> int:
    """Compute one property of a field. FIELD_EXISTS is 1, for there it is.

    Raises: RelocationError for a bit-field or shift that fits no 64-bit load, BtfError for a
    field without a size.
    """
    match kind:
        case CoreKind.FIELD_EXISTS:
            return 1
        case CoreKind.FIELD_SIGNED:
            return int(btf.is_signed(place.type_id))
        case CoreKind.FIELD_BYTE_OFFSET if not place.bitfield_bits:
            return place.offset_bits // 8
        case CoreKind.FIELD_BYTE_OFFSET:
            return load_window(btf, place)[0]
        case CoreKind.FIELD_BYTE_SIZE:
            return load_window(btf, place)[1]
        case CoreKind.FIELD_LSHIFT_U64:
            return _left_shift(btf, place)
        case _:
            return _shift(64 - _field_bits(btf, place))


def load_window(btf: Btf, place: Place) -> tuple[int, int]:
    """Give byte offset and size of the load that reads the field.

    For a bit-field it is the smallest naturally aligned one, at least as large as its declared
    type, that covers all its bits. Raises: RelocationError when that takes more than 8 bytes.
    """
    size_bytes = btf.size_of(place.type_id)
    if not place.bitfield_bits:
        return place.offset_bits // 8, size_bytes
    if size_bytes not in (1, 2, 4, 8):
        raise RelocationError(f"a bit-field is stored in a type of {size_bytes} bytes")
    while True:
        start = place.offset_bits // 8 // size_bytes * size_bytes
        if place.offset_bits + place.bitfield_bits <= (start + size_bytes) * 8:
            return start, size_bytes
        size_bytes *= 2
        if size_bytes > 8:
            raise RelocationError("a bit-field cannot be read by one load of 8 bytes")


def _field_bits(btf: Btf, place: Place) -> int:
    return place.bitfield_bits or btf.size_of(place.type_id) * 8


def _left_shift(btf: Btf, place: Place) -> int:
    """How far to shift the loaded 64 bits so that the field's highest bit is the highest."""
    start, size_bytes = load_window(btf, place)
    inside = place.offset_bits - start * 8
    if btf.order == "<":
        return _shift(64 - inside - _field_bits(btf, place))
    return _shift((8 - size_bytes) * 8 + inside)


def _shift(bits: int) -> int:
    if not 0 <= bits < 64:
        raise RelocationError("a field is wider than 64 bits, or empty, and was to be shifted")
    return bits


def memory_type(btf: Btf, place: Place) -> tuple[int, bool]:
    """Give the bytes a load or store of the field moves, and whether it may be resized.

    Loads of arrays go element by element. Bit-fields have 0: the compiler chose the size.
    Only pointers and unsigned integers can be resized.
    """
    if place.bitfield_bits:
        return 0, False
    type_id = place.type_id
    for _ in range(MAX_DEPTH):
        found = btf.type(btf.skip_modifiers(type_id))
        if not isinstance(found, Array):
            unsigned = isinstance(found, Int) and not found.is_signed
            return btf.size_of(type_id), unsigned or isinstance(found, Ptr)
        type_id = found.elem_type_id
    raise too_deep(found)
