"""Contexts of tracing programs as structs of C, in the order of the kernel's slots."""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.c_unique import identifier
from bpfctl.btf.contexts import SLOT_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.c_declare import Declarator
    from bpfctl.btf.contexts import Context
    from bpfctl.btf.decode import Btf


def context_struct(btf: Btf, declarator: Declarator, context: Context) -> str:
    """The definition of a context, with the empty line before it.

    A member narrower than its slot is aligned to it: C would put the next one right behind.
    """
    lines = [f"\nstruct {identifier(context.name)} {{\n"]
    for member in context.members:
        text = declarator.declare(member.type_id, identifier(member.name))
        lines.append(f"\t{text}{_alignment(btf, member.type_id)};\n")
    return "".join([*lines, "};\n"])


def _alignment(btf: Btf, type_id: int) -> str:
    if isinstance(btf.type(type_id), t.Ptr):
        return ""
    size_bytes = btf.size_of(type_id)
    if size_bytes == SLOT_BYTES:
        return ""
    packed = "packed, " if size_bytes > SLOT_BYTES else ""  # or C aligns to the type's size
    return f" __attribute__(({packed}aligned({SLOT_BYTES})))"
