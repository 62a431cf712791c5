"""What a CO-RE relocation asks for, and the answer to it, as plain data.

Source: enum bpf_core_relo_kind in include/uapi/linux/bpf.h (Linux 5.17; emitted by clang before).
"""

from __future__ import annotations

from bpfctl.plain import plain
from bpfctl.plain_enum import IntEnum


class CoreKind(IntEnum):
    """BPF_CORE_*: which property of a field, type or enumerator an instruction holds."""

    FIELD_BYTE_OFFSET = 0
    FIELD_BYTE_SIZE = 1
    FIELD_EXISTS = 2
    FIELD_SIGNED = 3
    FIELD_LSHIFT_U64 = 4
    FIELD_RSHIFT_U64 = 5
    TYPE_ID_LOCAL = 6
    TYPE_ID_TARGET = 7
    TYPE_EXISTS = 8
    TYPE_SIZE = 9
    ENUMVAL_EXISTS = 10
    ENUMVAL_VALUE = 11
    TYPE_MATCHES = 12

    @property
    def is_field(self) -> bool:
        """Whether it asks about a member or array element."""
        return self <= CoreKind.FIELD_RSHIFT_U64

    @property
    def is_enumerator(self) -> bool:
        """Whether it asks about one constant of an enumeration."""
        return self in (CoreKind.ENUMVAL_EXISTS, CoreKind.ENUMVAL_VALUE)

    @property
    def is_existence(self) -> bool:
        """Whether "not found" is a proper answer, namely 0."""
        return self in (
            CoreKind.FIELD_EXISTS,
            CoreKind.TYPE_EXISTS,
            CoreKind.ENUMVAL_EXISTS,
            CoreKind.TYPE_MATCHES,
        )


@plain
class MemorySize:
    """The bytes a load or store of a field moves, by the object's types and by the kernel's.

    When they differ, the instruction's size may only follow if `adjustable`: pointers and unsigned
    integers keep their value when the upper bits are filled with zeros, other things do not.
    """

    local_bytes: int
    target_bytes: int
    adjustable: bool

    @property
    def differs(self) -> bool:
        """Whether the field has another size in the kernel."""
        return self.local_bytes != self.target_bytes

    @property
    def obstacle(self) -> str:
        """Why a load or store cannot be fitted, "" when it can."""
        if self.adjustable or not self.differs:
            return ""
        if not (self.local_bytes and self.target_bytes):
            return f"it is a bit-field in the {'kernel' if self.local_bytes else 'object'} only"
        return (
            f"it has {self.target_bytes} bytes in the kernel and {self.local_bytes} in the object, "
            "and only pointers and unsigned integers can be fitted"
        )


@plain
class CoreFixup:
    """What to write into one instruction.

    `value` replaces `original`, the value the object's own types give; None for `original` means
    that the compiler may hold another and nothing is to be checked. Of enumerators in 32 bits the
    sign is not always known: `value_bits` is then 32, and the instruction tells. With `poison`
    there is no value: the instruction must not be reached.

    `spec_text` words the access ("struct task_struct.pid (0:72)"), `target` the kernel's type that
    answered ("struct task_struct [145]", "" if none), `candidates` all that were tried.
    `reason` says why nothing matched, or why no load or store of the field can be fitted: such an
    instruction is poisoned when the value is written, others are not. `missing` is the name that
    was looked for in vain, if it was a name, and `available` the names there are.
    """

    kind: CoreKind
    spec_text: str
    value: int = 0
    original: int | None = None
    poison: bool = False
    value_bits: int = 64
    memory: MemorySize | None = None
    target: str = ""
    candidates: tuple[str, ...] = ()
    reason: str = ""
    missing: str = ""
    available: tuple[str, ...] = ()

    def nearest(self, count: int = 3) -> list[str]:
        """Give up to `count` available names that resemble the missing one, the best first."""
        if not self.missing:
            return []
        import difflib

        return difflib.get_close_matches(self.missing, self.available, count)
