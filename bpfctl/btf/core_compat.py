"""Whether a type of the object and one of the kernel may stand for each other.

Two questions, both looser than C: may a field be read as the other (offset, size, existence of
fields), and is a type "there" (existence, size and id of types). The strict question, "does it
match", is in core_match.py.
Source: the behaviour of libbpf 1.6 and Linux 6.18 (relo_core.c), and the comments of
bpf_core_read.h.
"""

from __future__ import annotations

from bpfctl.btf.core_names import essential_name
from bpfctl.btf.types import Array, Enum, Float, FuncProto, Fwd, Int, Kind, Ptr, Struct, Type, Void
from bpfctl.errors import RelocationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.btf.decode import Btf

MAX_DEPTH: Final = 32  # as in the kernel


_ENUMS: Final = frozenset({Kind.ENUM, Kind.ENUM64})


def kinds_agree(one: Kind, other: Kind) -> bool:
    """Whether two kinds are the same; enum and enum64 are."""
    return one is other or (one in _ENUMS and other in _ENUMS)


def agreeing(kind: Kind) -> frozenset[Kind]:
    """All kinds that agree with one."""
    return _ENUMS if kind in _ENUMS else frozenset({kind})


def fields_agree(local: Btf, local_id: int, target: Btf, target_id: int) -> bool:
    """Whether a field of the one type can be found in a field of the other.

    Integers of any size and sign may, and so may all structs and unions: it is their members
    that decide. Named enumerations and declarations must have the same name.
    """
    for _ in range(MAX_DEPTH):
        ours = local.type(local.skip_modifiers(local_id))
        theirs = target.type(target.skip_modifiers(target_id))
        if not (isinstance(ours, Array) and isinstance(theirs, Array)):
            return _scalars_agree(ours, theirs)
        local_id, target_id = ours.elem_type_id, theirs.elem_type_id
    raise too_deep(ours)


def _scalars_agree(ours: Type, theirs: Type) -> bool:
    if isinstance(ours, Struct) and isinstance(theirs, Struct):
        return True
    if not kinds_agree(ours.kind, theirs.kind):
        return False
    if isinstance(ours, Int) and isinstance(theirs, Int):
        return not (ours.offset_bits or theirs.offset_bits)  # bit-fields of very old compilers
    if isinstance(ours, (Enum, Fwd)):
        one, other = essential_name(ours.name), essential_name(theirs.name)
        return not one or not other or one == other
    return isinstance(ours, (Ptr, Float))


def types_agree(local: Btf, local_id: int, target: Btf, target_id: int) -> bool:
    """Whether the kernel's type counts as the one that the object means.

    The names of the two were compared by the caller. Only kinds are looked at, through pointers,
    arrays and function prototypes; the members of structs and the constants of enums are not.
    """
    open_pairs = [(local_id, target_id)]
    seen = set(open_pairs)
    while open_pairs:
        one, other = open_pairs.pop()
        ours = local.type(local.skip_modifiers(one))
        theirs = target.type(target.skip_modifiers(other))
        inner = _leads_to(ours, theirs)
        if inner is None:
            return False
        open_pairs += [pair for pair in inner if pair not in seen]
        seen.update(inner)
    return True


def _leads_to(ours: Type, theirs: Type) -> list[tuple[int, int]] | None:
    """Compare two types by themselves: the pairs that are left to compare, None if they differ."""
    if not kinds_agree(ours.kind, theirs.kind):
        return None
    if isinstance(ours, Int) and isinstance(theirs, Int):
        return None if ours.offset_bits or theirs.offset_bits else []
    if isinstance(ours, (Void, Struct, Enum, Fwd)):
        return []
    return inner_pairs(ours, theirs)


def inner_pairs(ours: Type, theirs: Type) -> list[tuple[int, int]] | None:
    """Pair up the types that two pointers, arrays or prototypes are made of; None if they differ.

    Arrays of any length are alike here.
    """
    if isinstance(ours, Ptr) and isinstance(theirs, Ptr):
        return [(ours.type_id, theirs.type_id)]
    if isinstance(ours, Array) and isinstance(theirs, Array):
        return [(ours.elem_type_id, theirs.elem_type_id)]
    if isinstance(ours, FuncProto) and isinstance(theirs, FuncProto):
        return list(_prototype_pairs(ours, theirs)) if _same_count(ours, theirs) else None
    return None


def _same_count(ours: FuncProto, theirs: FuncProto) -> bool:
    return len(ours.params) == len(theirs.params)


def _prototype_pairs(ours: FuncProto, theirs: FuncProto) -> Iterator[tuple[int, int]]:
    for one, other in zip(ours.params, theirs.params, strict=True):
        yield one.type_id, other.type_id
    yield ours.return_type_id, theirs.return_type_id


def too_deep(found: Type) -> RelocationError:
    """Make the error for types that go deeper than any compiler's."""
    return RelocationError(f"type {found.id} is nested more than {MAX_DEPTH} deep")
