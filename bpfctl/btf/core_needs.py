"""Which of a kernel's types CO-RE relocations look at: enough of them to get the same answers.

A relocation of a field needs the structs on the way to it, each with the one member that is on the
way, and the type of the field itself; what a pointer points to is not looked at. One of a type
needs what the type is compared by, one of a constant its enumeration. Every type of the kernel
that could be meant is kept, for all of them are asked again.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.core import read_question
from bpfctl.btf.core_access import MAX_STEPS
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.btf.core_place import Mismatch
from bpfctl.btf.core_questions import FieldQuestion
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.remap import remapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.core import CoreTarget
    from bpfctl.btf.core_access import Step
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import CoreRelo


class Needs:
    """The types of one kernel that some objects need, collected relocation by relocation."""

    def __init__(self, target: CoreTarget) -> None:
        self._target = target
        self._btf = target.btf
        self._members: dict[int, set[int]] = {}  # of a struct, the places of those needed
        self._kept: set[int] = set()
        self._followed: set[tuple[int, bool]] = set()

    def add(self, local: Btf, relo: CoreRelo) -> None:
        """Keep what one relocation of an object with types `local` looks at.

        Raises: RelocationError for one that makes no sense, BtfError for broken types.
        """
        kind = CoreKind(relo.kind)
        if kind is CoreKind.TYPE_ID_LOCAL:
            return
        question = read_question(local, relo, kind, self._target)
        for type_id in self._target.candidates.of(local, relo.type_id):
            if isinstance(question.ask(self._btf, type_id), Mismatch):
                continue
            if isinstance(question, FieldQuestion):
                self._keep_path(type_id, question.steps)
            elif kind.is_enumerator:
                self._keep_value(type_id)
            else:
                self._keep_type(type_id, members=kind is CoreKind.TYPE_MATCHES)

    def build(self) -> bytes:
        """The types that are kept, as a blob: in their order, with ids from 1 on."""
        ids = {0: 0} | {old: new for new, old in enumerate(sorted(self._kept), 1)}
        builder = BtfBuilder(self._btf.order)
        for type_id in sorted(self._kept):
            builder.add(remapped(self._thinned(type_id), lambda one: ids.get(one, 0)))
        return builder.build()

    def __len__(self) -> int:
        """How many types are kept."""
        return len(self._kept)

    def _thinned(self, type_id: int) -> t.Type:
        found = self._btf.type(type_id)
        if not isinstance(found, t.Struct):
            return found
        wanted = self._members.get(type_id, set())
        members = tuple(one for place, one in enumerate(found.members) if place in wanted)
        return t.Struct(found.id, found.name, found.size_bytes, members, found.is_union)

    def _keep_chain(self, type_id: int) -> t.Type:
        """Keep a type with the qualifiers and typedefs on the way to it, and return it."""
        behind = self._btf.skip_modifiers(type_id)
        while type_id != behind:
            self._kept.add(type_id)
            (type_id,) = self._btf.records[type_id].references
        if behind:
            self._kept.add(behind)
        return self._btf.type(behind)

    def _keep_value(self, type_id: int) -> None:
        """Keep the type of a value: its size and kind, without what is in it or behind it."""
        found = self._keep_chain(type_id)
        while isinstance(found, t.Array):
            self._keep_chain(found.index_type_id)
            found = self._keep_chain(found.elem_type_id)

    def _keep_path(self, type_id: int, steps: tuple[Step, ...]) -> None:
        for step in steps[1:]:
            found = self._keep_chain(type_id)
            if isinstance(found, t.Array):
                self._keep_chain(found.index_type_id)
                type_id = found.elem_type_id
            elif isinstance(found, t.Struct) and step.name is not None:
                type_id = self._keep_member(found, step.name)
        self._keep_value(type_id)

    def _keep_member(self, struct: t.Struct, name: str) -> int:
        """Keep the member of a name, with the anonymous ones it is in; return its type."""
        path = self._path(struct, name)
        for outer, place in path:
            self._keep_chain(outer.id)
            self._members.setdefault(outer.id, set()).add(place)
            self._keep_chain(outer.members[place].type_id)
        outer, place = path[-1]
        return outer.members[place].type_id

    def _path(self, struct: t.Struct, name: str) -> list[tuple[t.Struct, int]]:
        path = []
        for _ in range(MAX_STEPS):
            place = self._place(struct, name)
            path.append((struct, place))
            inner = self._btf.type(self._btf.skip_modifiers(struct.members[place].type_id))
            if struct.members[place].name or not isinstance(inner, t.Struct):
                break
            struct = inner
        return path

    def _place(self, struct: t.Struct, name: str) -> int:
        """The first member of that name, or without any and with it inside (as Members has it)."""
        for place, member in enumerate(struct.members):
            if member.name == name:
                return place
            inner = self._btf.type(self._btf.skip_modifiers(member.type_id))
            if member.name or not isinstance(inner, t.Struct):
                continue
            if name in self._target.members.of(inner):
                return place
        raise self._btf.error(f"type {struct.id} has no member {name!r}", struct.id)

    def _keep_type(self, type_id: int, *, members: bool) -> None:
        """Keep all that a type is compared by, through pointers; `members`: those of structs too.

        Behind a pointer only the name of a struct counts.
        """
        to_do = [(type_id, members)]
        while to_do:
            type_id, members = to_do.pop()
            found = self._keep_chain(type_id)
            if (found.id, members) in self._followed:
                continue
            self._followed.add((found.id, members))
            if isinstance(found, t.Struct):
                if members:
                    self._members[found.id] = set(range(len(found.members)))
                    to_do += [(one.type_id, True) for one in found.members]
            else:
                deeper = members and not isinstance(found, t.Ptr)
                to_do += [(one, deeper) for one in self._btf.records[found.id].references]
