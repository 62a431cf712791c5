"""Whether the kernel's type matches the object's: bpf_core_type_matches().

Every member (or constant) that the object's type has must be in the kernel's, with the same name
and a matching type; the kernel's may have more. Behind a pointer the name and kind suffice, and a
declaration stands for the definition.
Source: the behaviour of libbpf 1.6 and Linux 6.18 (relo_core.c), and bpf_core_read.h.
"""

from __future__ import annotations

from bpfctl.btf.core_compat import MAX_DEPTH, inner_pairs, kinds_agree, too_deep
from bpfctl.btf.core_names import essential_name, same_essential_name
from bpfctl.btf.types import Array, Enum, FuncProto, Fwd, Int, Ptr, Struct, Type, Void

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf


class Matcher:
    """Compares types of one object with types of one kernel; no pair is compared twice."""

    def __init__(self, local: Btf, target: Btf) -> None:
        self._local = local
        self._target = target
        self._known: dict[tuple[int, int, bool], bool] = {}

    def matches(
        self, local_id: int, target_id: int, *, behind_pointer: bool = False, depth: int = 0
    ) -> bool:
        """Whether the kernel's type matches. Raises: RelocationError beyond 32 levels."""
        key = (local_id, target_id, behind_pointer)
        known = self._known.get(key)
        if known is None:
            self._known[key] = True  # a type that leads back to itself adds no condition
            ours = self._local.type(self._local.skip_modifiers(local_id))
            theirs = self._target.type(self._target.skip_modifiers(target_id))
            if depth > MAX_DEPTH:
                raise too_deep(ours)
            known = self._known[key] = self._compare(
                ours, theirs, depth, behind_pointer=behind_pointer
            )
        return known

    def _compare(self, ours: Type, theirs: Type, depth: int, *, behind_pointer: bool) -> bool:
        if not same_essential_name(ours.name, theirs.name):
            return False
        if not kinds_agree(ours.kind, theirs.kind):
            return behind_pointer and _declares(ours, theirs)
        if isinstance(ours, Struct) and isinstance(theirs, Struct):
            return behind_pointer or self._members_match(ours, theirs, depth)
        if not _flat_match(ours, theirs):
            return False
        behind = behind_pointer or isinstance(ours, Ptr)
        return all(
            self.matches(one, other, behind_pointer=behind, depth=depth + 1)
            for one, other in inner_pairs(ours, theirs) or ()
        )

    def _members_match(self, ours: Struct, theirs: Struct, depth: int) -> bool:
        named: dict[str, list[int]] = {}
        for member in theirs.members:
            named.setdefault(essential_name(member.name), []).append(member.type_id)
        return all(
            any(
                self.matches(member.type_id, other, depth=depth + 1)
                for other in named.get(essential_name(member.name), ())
            )
            for member in ours.members
        )


def _declares(ours: Type, theirs: Type) -> bool:
    """Whether one is the declaration of what the other defines."""
    if isinstance(ours, Fwd) and isinstance(theirs, Struct):
        return ours.is_union == theirs.is_union
    if isinstance(ours, Struct) and isinstance(theirs, Fwd):
        return ours.is_union == theirs.is_union
    return False


def _flat_match(ours: Type, theirs: Type) -> bool:
    """Compare what two types of one kind say by themselves, without the types they are made of."""
    if isinstance(ours, Int) and isinstance(theirs, Int):
        return ours.size_bytes == theirs.size_bytes and ours.is_signed == theirs.is_signed
    if isinstance(ours, Enum) and isinstance(theirs, Enum):
        names = {essential_name(value.name) for value in theirs.values}
        return ours.size_bytes == theirs.size_bytes and all(
            essential_name(value.name) in names for value in ours.values
        )
    if isinstance(ours, Fwd) and isinstance(theirs, Fwd):
        return ours.is_union == theirs.is_union
    if isinstance(ours, Array) and isinstance(theirs, Array):
        return ours.nelems == theirs.nelems
    if isinstance(ours, FuncProto) and isinstance(theirs, FuncProto):
        return len(ours.params) == len(theirs.params)
    return isinstance(ours, (Ptr, Void))
