"""The access strings of CO-RE relocations, read against the object's own types.

"0:1:2" is the C expression `(&root)[0].second_member.third_member`: each number is an element of
an array or the position of a member, anonymous structs and unions included. Relocations of types
have "0", those of enumerators the position of the constant.
Source: the comment at struct bpf_core_relo in include/uapi/linux/bpf.h (Linux 6.18).
"""

from __future__ import annotations

from bpfctl.btf.core_names import describe
from bpfctl.btf.types import Array, Enum, Member, Struct
from bpfctl.errors import RelocationError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.types import EnumValue

MAX_STEPS: Final = 64  # BPF_CORE_SPEC_MAX_LEN of the kernel (relo_core.h, Linux 6.18)
_MAX_INDEX: Final = 0x7FFF_FFFF


@plain
class Step:
    """One thing a programmer wrote: a member's name, or an index when `name` is None.

    `type_id` is the type one stands at after the step, modifiers included.
    """

    name: str | None
    index: int
    type_id: int


@plain
class Place:
    """Where a field lies: `offset_bits` from the start of the root type, and its type.

    `bitfield_bits` is 0 for what is no bit-field.
    """

    type_id: int
    offset_bits: int
    bitfield_bits: int = 0


@plain
class Access:
    """An access string understood: the steps to take in another layout, and the place in ours."""

    steps: tuple[Step, ...]
    place: Place


def parse_numbers(text: str) -> list[int]:
    """Read "0:1:2". Raises: RelocationError for anything else, or for more than 64 numbers."""
    parts = text.split(":", MAX_STEPS)
    if len(parts) > MAX_STEPS:
        raise RelocationError(f"a CO-RE access has more than {MAX_STEPS} steps")
    numbers = [int(part) if _is_number(part) else -1 for part in parts]
    if min(numbers) < 0 or max(numbers) > _MAX_INDEX:
        raise RelocationError(f'a CO-RE access is not numbers with colons: "{text[:80]}"')
    return numbers


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= 10


def parse_access(btf: Btf, root_id: int, text: str) -> Access:
    """Follow an access string from a type of the object.

    Raises: RelocationError when it leads nowhere, BtfError when a type is broken.
    """
    first, *rest = parse_numbers(text)
    at = btf.skip_modifiers(root_id)
    steps = [Step(None, first, at)]
    place = Place(at, first * btf.size_of(at) * 8 if first else 0)
    inside: Struct | None = None
    for number in rest:
        found = btf.type(btf.skip_modifiers(place.type_id))
        if isinstance(found, Struct):
            member = _member(found, number, text)
            place = enter_member(place, member)
            if member.name:
                steps.append(Step(member.name, number, member.type_id))
            inside = found
        elif isinstance(found, Array):
            _check_index(found, number, inside, text)
            place = enter_element(btf, place, found, number)
            steps.append(Step(None, number, place.type_id))
            inside = None
        else:
            raise RelocationError(f'the CO-RE access "{text}" goes into {describe(found)}')
    return Access(tuple(steps), place)


def _member(found: Struct, number: int, text: str) -> Member:
    if number >= len(found.members):
        raise RelocationError(
            f'the CO-RE access "{text}" asks for member {number} of {describe(found)}, '
            f"which has {len(found.members)}"
        )
    return found.members[number]


def _check_index(found: Array, number: int, inside: Struct | None, text: str) -> None:
    # The compiler checked its own arrays; a flexible one has no bound, wherever it stands.
    if number >= found.nelems and not (inside and found.nelems == 0):
        raise RelocationError(
            f'the CO-RE access "{text}" asks for element {number} of an array of {found.nelems}'
        )


def enter_member(place: Place, member: Member) -> Place:
    """Give the place of a member of the struct at `place`."""
    return Place(member.type_id, place.offset_bits + member.offset_bits, member.bitfield_bits)


def enter_element(btf: Btf, place: Place, array: Array, index: int) -> Place:
    """Give the place of an element of the array at `place`. Raises: BtfError without a size."""
    offset_bits = index * btf.size_of(array.elem_type_id) * 8 if index else 0
    return Place(array.elem_type_id, place.offset_bits + offset_bits)


def parse_enumerator(btf: Btf, root_id: int, text: str) -> tuple[Enum, EnumValue]:
    """Find the constant that an access string names by its position.

    Raises: RelocationError when the root is no enumeration or has no such constant.
    """
    numbers = parse_numbers(text)
    found = btf.type(btf.skip_modifiers(root_id))
    if not isinstance(found, Enum):
        raise RelocationError(f"a CO-RE relocation of a constant is on {describe(found)}")
    if len(numbers) != 1 or numbers[0] >= len(found.values):
        raise RelocationError(
            f'a CO-RE relocation asks for constant "{text}" of {describe(found)}, '
            f"which has {len(found.values)}"
        )
    return found, found.values[numbers[0]]


def word_steps(steps: tuple[Step, ...]) -> str:
    """Write steps as C does: ".mm.pgd[2]"; a first index of 0 stays unsaid."""
    words = []
    for position, step in enumerate(steps):
        if step.name is not None:
            words.append(f".{step.name}")
        elif position or step.index:
            words.append(f"[{step.index}]")
    return "".join(words)
