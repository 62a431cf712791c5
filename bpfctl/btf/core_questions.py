"""The three families of CO-RE relocations: what each asks, and how one type of the kernel answers.

A question is read once from the object; it is then put to every candidate type of the kernel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from bpfctl.btf.core_access import Access, Place, parse_access, parse_enumerator, word_steps
from bpfctl.btf.core_compat import types_agree
from bpfctl.btf.core_fixup import CoreKind, MemorySize
from bpfctl.btf.core_names import describe, essential_name, same_essential_name
from bpfctl.btf.core_place import Mismatch, field_value, find_place, memory_type
from bpfctl.btf.types import Enum, EnumValue
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.btf.core_access import Step
    from bpfctl.btf.core_match import Matcher
    from bpfctl.btf.core_members import Members
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import CoreRelo


@plain
class Answer:
    """What one candidate says. Two candidates agree when value and offset are the same."""

    value: int
    offset_bits: int = 0
    value_bits: int = 64
    memory: MemorySize | None = None


class Question(ABC):
    """A relocation read against the object's own types."""

    def __init__(self, local: Btf, relo: CoreRelo, kind: CoreKind) -> None:
        self.local = local
        self.root_id = relo.type_id
        self.kind = kind
        self.root_text = describe(local.type(relo.type_id))

    @property
    @abstractmethod
    def text(self) -> str:
        """The access in words."""

    @abstractmethod
    def original(self) -> int | None:
        """The value that the object's types give; None when the compiler may disagree."""

    @abstractmethod
    def ask(self, target: Btf, type_id: int) -> Answer | Mismatch:
        """Put the question to one type of the kernel."""


class FieldQuestion(Question):
    """Asks where a member is, how large, or whether it is there at all."""

    def __init__(self, local: Btf, relo: CoreRelo, kind: CoreKind, members: Members) -> None:
        super().__init__(local, relo, kind)
        self._numbers = relo.access
        self._members = members
        self._access: Access = parse_access(local, relo.type_id, relo.access)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that lead to the field."""
        return self._access.steps

    @property
    def text(self) -> str:
        """The access as C writes it, and its numbers: "struct file.f_path.mnt (0:3:0)"."""
        return f"{self.root_text}{word_steps(self._access.steps)} ({self._numbers})"

    def original(self) -> int | None:
        """The local value; which load reads a bit-field is the compiler's choice."""
        place = self._access.place
        if place.bitfield_bits and self.kind not in (
            CoreKind.FIELD_EXISTS,
            CoreKind.FIELD_SIGNED,
            CoreKind.FIELD_RSHIFT_U64,
        ):
            return None
        if self.kind is CoreKind.FIELD_SIGNED and self._is_enum(place):
            return None  # before clang 15 the sign of an enum was not in BTF
        return field_value(self.local, place, self.kind)

    def _is_enum(self, place: Place) -> bool:
        return isinstance(self.local.type(self.local.skip_modifiers(place.type_id)), Enum)

    def ask(self, target: Btf, type_id: int) -> Answer | Mismatch:
        """Find the field in a struct of the kernel."""
        place = find_place(self.local, self._access.steps, target, type_id, self._members)
        if isinstance(place, Mismatch):
            return place
        memory = None
        if self.kind is CoreKind.FIELD_BYTE_OFFSET:
            memory = self._memory_size(target, place)
        value = field_value(target, place, self.kind)
        return Answer(value, place.offset_bits, memory=memory)

    def _memory_size(self, target: Btf, place: Place) -> MemorySize:
        local_bytes, ours = memory_type(self.local, self._access.place)
        target_bytes, theirs = memory_type(target, place)
        return MemorySize(local_bytes, target_bytes, ours and theirs)


class TypeQuestion(Question):
    """Asks whether a type is there, how large it is, or for its id."""

    def __init__(
        self, local: Btf, relo: CoreRelo, kind: CoreKind, matcher: Callable[[], Matcher]
    ) -> None:
        super().__init__(local, relo, kind)
        self._matcher = matcher

    @property
    def text(self) -> str:
        """The type's name."""
        return self.root_text

    def original(self) -> int | None:
        """The size here, or 1; ids change when objects are linked, so that none is expected."""
        if self.kind is CoreKind.TYPE_ID_TARGET:
            return None
        return self.local.size_of(self.root_id) if self.kind is CoreKind.TYPE_SIZE else 1

    def ask(self, target: Btf, type_id: int) -> Answer | Mismatch:
        """Compare with a type of the kernel."""
        found = describe(target.type(type_id))
        if self.kind is CoreKind.TYPE_MATCHES:
            if not self._matcher().matches(self.root_id, type_id):
                return Mismatch(f"the kernel's {found} does not match the object's")
            return Answer(1)
        if not types_agree(self.local, self.root_id, target, type_id):
            return Mismatch(f"the kernel's {found} is another kind of type")
        if self.kind is CoreKind.TYPE_SIZE:
            return Answer(target.size_of(type_id))
        return Answer(type_id if self.kind is CoreKind.TYPE_ID_TARGET else 1)


class EnumeratorQuestion(Question):
    """Asks whether a constant of an enumeration is there, or for its value."""

    def __init__(self, local: Btf, relo: CoreRelo, kind: CoreKind) -> None:
        super().__init__(local, relo, kind)
        self._numbers = relo.access
        self._enum: Enum
        self._constant: EnumValue
        self._enum, self._constant = parse_enumerator(local, relo.type_id, relo.access)

    @property
    def text(self) -> str:
        """Enumeration, constant and its position: "enum bpf_map_type::HASH (1)"."""
        return f"{self.root_text}::{self._constant.name} ({self._numbers})"

    def original(self) -> int | None:
        """The local value, or 1 for existence."""
        return 1 if self.kind is CoreKind.ENUMVAL_EXISTS else self._constant.value

    def ask(self, target: Btf, type_id: int) -> Answer | Mismatch:
        """Look for the constant in an enumeration of the kernel."""
        found = target.type(target.skip_modifiers(type_id))
        if not isinstance(found, Enum):
            return Mismatch(f"the kernel's {describe(found)} is no enumeration")
        for constant in found.values:
            if same_essential_name(constant.name, self._constant.name):
                return self._answer(found, constant)
        name = essential_name(self._constant.name)
        reason = f'the kernel\'s {describe(found)} has no constant "{name}"'
        return Mismatch(reason, name, tuple(constant.name for constant in found.values))

    def _answer(self, found: Enum, constant: EnumValue) -> Answer:
        if self.kind is CoreKind.ENUMVAL_EXISTS:
            return Answer(1)
        value_bits = 64 if self._enum.is64 or found.is64 else 32
        return Answer(constant.value, value_bits=value_bits)
