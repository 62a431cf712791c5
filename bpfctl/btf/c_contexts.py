"""Contexts of tracing programs as structs of C, in the order of the kernel's slots."""

from __future__ import annotations

from bpfctl.btf.c_unique import identifier
from bpfctl.btf.contexts import SLOT_BYTES
from bpfctl.btf.kinds import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.c_declare import Declarator
    from bpfctl.btf.contexts import Context, ContextMember
    from bpfctl.btf.decode import Btf


class ContextStructs(dict["ContextMember", str]):
    """Writes contexts as structs; has the lines of members, which functions share with others."""

    def __init__(self, btf: Btf, declarator: Declarator) -> None:
        super().__init__()
        self._btf = btf
        self._declarator = declarator

    def __missing__(self, member: ContextMember) -> str:
        """Make one."""
        text = self._declarator.declare(member.type_id, identifier(member.name))
        line = f"\t{text}{self._alignment(member.type_id)};\n"
        if "\n" not in text:  # the constants of an enum are written once
            self[member] = line
        return line

    def text(self, context: Context) -> str:
        """The definition of a context, with the empty line before it.

        A member narrower than its slot is aligned to it: C would put the next one right behind.
        """
        lines = "".join(map(self.__getitem__, context.members))
        return f"\nstruct {identifier(context.name)} {{\n{lines}}};\n"

    def _alignment(self, type_id: int) -> str:
        if self._btf.records[type_id].kind is Kind.PTR:
            return ""
        size_bytes = self._btf.size_of(type_id)
        if size_bytes == SLOT_BYTES:
            return ""
        packed = "packed, " if size_bytes > SLOT_BYTES else ""  # or C aligns to the type's size
        return f" __attribute__(({packed}aligned({SLOT_BYTES})))"
