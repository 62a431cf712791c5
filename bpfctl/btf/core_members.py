"""The members of a struct by name, those inside anonymous structs and unions included."""

from __future__ import annotations

from bpfctl.btf.core_access import MAX_STEPS
from bpfctl.btf.types import Struct
from bpfctl.errors import BtfError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.types import Member


@plain
class NamedMember:
    """A member, where it lies in the outermost struct, and whether it may be a flexible array.

    Only the last member of its own struct may, and any one of a union.
    """

    member: Member
    offset_bits: int
    may_flex: bool


class Members:
    """Answers "which member is called x" for the structs of one `Btf`, each flattened once."""

    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._known: dict[int, Mapping[str, NamedMember]] = {}

    def of(self, struct: Struct, depth: int = 0) -> Mapping[str, NamedMember]:
        """Give all names that can be written after the dot, in the order of the layout.

        Raises: BtfError when anonymous members are nested too deeply, or without end.
        """
        known = self._known.get(struct.id)
        if known is None:
            if depth > MAX_STEPS:
                raise BtfError(f"struct {struct.name!r} has anonymous members without end")
            known = self._known[struct.id] = self._flatten(struct, depth)
        return known

    def _flatten(self, struct: Struct, depth: int) -> dict[str, NamedMember]:
        names: dict[str, NamedMember] = {}
        last = len(struct.members) - 1
        for index, member in enumerate(struct.members):
            if member.name:
                may_flex = index == last or struct.is_union
                names.setdefault(member.name, NamedMember(member, member.offset_bits, may_flex))
                continue
            inner = self._btf.type(self._btf.skip_modifiers(member.type_id))
            if isinstance(inner, Struct):
                for name, found in self.of(inner, depth + 1).items():
                    offset_bits = member.offset_bits + found.offset_bits
                    moved = NamedMember(found.member, offset_bits, found.may_flex)
                    names.setdefault(name, moved)
        return names
