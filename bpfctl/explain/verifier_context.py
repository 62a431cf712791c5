"""Which field of the context a refused access meets, from the kernel's own types."""

from __future__ import annotations

from bpfctl.btf.types import Kind, Struct
from bpfctl.errors import BpfctlError
from bpfctl.explain.verifier_messages import recognise
from bpfctl.kernel.uapi import ProgType
from bpfctl.loader.context_args import CONTEXTS
from bpfctl.rejected import ProgramCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf
    from bpfctl.errors import VerifierError
    from bpfctl.loader.kernel_btf import KernelBtf

_CODE = "verifier-context-access"


def add_field(error: VerifierError, kernel: KernelBtf) -> None:
    """Add to the evidence which field is at the offset that may not be accessed."""
    code = next((one for one in error.facts if isinstance(one, ProgramCode)), None)
    if error.code != _CODE or error.rejection is None or code is None:
        return
    match = recognise(error.rejection.message.split("\n"))
    offset = match.fields.get("off") if match else None
    name = CONTEXTS.get(ProgType(code.prog_type)) if code.prog_type in set(ProgType) else None
    if name is None or not isinstance(offset, int):
        return
    try:
        words = field_words(kernel.btf, name, offset)
    except BpfctlError:  # a kernel without types
        return
    if words:
        error.evidence.append(words)


def field_words(btf: Btf, name: str, offset: int) -> str:
    """What is at an offset of a struct, in bytes; "" when the kernel's types do not have it."""
    found = btf.find(name, Kind.STRUCT)
    struct = btf.type(found) if found else None
    if found is None or not isinstance(struct, Struct):
        return ""
    if offset >= struct.size_bytes:
        return f"struct {name} ends before: it has {struct.size_bytes} bytes"
    for member in reversed(struct.members):
        start = member.offset_bits // 8
        size = btf.size_of(member.type_id)
        if start <= offset < start + size:
            field = member.name or _first_name(btf, member.type_id)
            return f"offset {start} of struct {name} is {field}, {size} bytes" if field else ""
    return ""


def _first_name(btf: Btf, type_id: int) -> str:
    """The name of the only thing that the UAPI's unions without a name are for."""
    inner = btf.type(btf.skip_modifiers(type_id))
    members = inner.members if isinstance(inner, Struct) else ()
    return members[0].name if members else ""
