"""Write the answers to CO-RE relocations into the code of a function."""

from __future__ import annotations

from bpfctl.asm.core_patch import Patch, apply, poison
from bpfctl.asm.insn import SLOT_BYTES
from bpfctl.btf.core import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.core import CoreTarget
    from bpfctl.btf.core_fixup import CoreFixup
    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import FunctionSpec


def fit(function: FunctionSpec, btf: Btf, target: CoreTarget) -> tuple[bytes, dict[int, CoreFixup]]:
    """Fit one function to the kernel: its code, and which instructions nothing fits.

    Raises: RelocationError, BtfError.
    """
    code = bytearray(function.code)
    poisoned = {}
    for relo in function.core_relos:
        index = relo.insn_off // SLOT_BYTES
        fixup = resolve(btf, relo, target)
        if fixup.poison:
            poison(code, index)
        if fixup.poison or not apply(code, index, _patch(fixup)):
            poisoned[index] = fixup  # or the instruction cannot move the field's size here
    return bytes(code), poisoned


def _patch(fixup: CoreFixup) -> Patch:
    memory = fixup.memory if fixup.memory and fixup.memory.differs else None
    return Patch(
        value=fixup.value,
        original=fixup.original,
        value_bits=fixup.value_bits,
        memory=(memory.local_bytes, memory.target_bytes) if memory else None,
        adjustable=bool(memory and memory.adjustable),
        symbol=fixup.spec_text,
    )
