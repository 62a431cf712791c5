"""Fit the code of functions to the types of the running kernel (CO-RE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfctl.asm.insn import SLOT_BYTES
from bpfctl.errors import BpfctlError, RelocationError

if TYPE_CHECKING:
    from bpfctl.btf.core_fixup import CoreFixup
    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import FunctionSpec
    from bpfctl.loader.kernel_btf import KernelBtf


class FittedCode:
    """The functions of one object as this kernel needs them; each is fitted once, when needed."""

    def __init__(self, btf: Btf | None, kernel: KernelBtf) -> None:
        self._btf = btf
        self._kernel = kernel
        self._done: dict[str, tuple[bytes, dict[int, CoreFixup]]] = {}

    def code(self, function: FunctionSpec) -> bytes:
        """The function's instructions with all CO-RE relocations applied.

        Raises: RelocationError for relocations that contradict the code.
        """
        return self._fitted(function)[0]

    def poisoned(self, function: FunctionSpec) -> dict[int, CoreFixup]:
        """The instructions nothing in this kernel fits, by their index in the function.

        They are calls the verifier refuses unless it proves that they are never reached.
        """
        return self._fitted(function)[1]

    def _fitted(self, function: FunctionSpec) -> tuple[bytes, dict[int, CoreFixup]]:
        if not function.core_relos:
            return function.code, {}
        if function.key not in self._done:
            try:
                self._done[function.key] = self._fit(function)
            except BpfctlError as err:
                err.within(program=function.name)
                raise
        return self._done[function.key]

    def _fit(self, function: FunctionSpec) -> tuple[bytes, dict[int, CoreFixup]]:
        from bpfctl.asm.core_patch import poison
        from bpfctl.btf.core import resolve

        if self._btf is None:
            raise RelocationError("CO-RE relocations without type information")
        code = bytearray(function.code)
        poisoned = {}
        for relo in function.core_relos:
            index = relo.insn_off // SLOT_BYTES
            fixup = resolve(self._btf, relo, self._kernel.core_target)
            if fixup.poison:
                poison(code, index)
            if fixup.poison or not _apply(code, index, fixup):
                poisoned[index] = fixup
        return bytes(code), poisoned


def _apply(code: bytearray, insn_index: int, fixup: CoreFixup) -> bool:
    """Write the value; False when the instruction cannot move the field's size here: poisoned."""
    from bpfctl.asm.core_patch import Patch, apply

    memory = fixup.memory if fixup.memory and fixup.memory.differs else None
    patch = Patch(
        value=fixup.value,
        original=fixup.original,
        value_bits=fixup.value_bits,
        memory=(memory.local_bytes, memory.target_bytes) if memory else None,
        adjustable=bool(memory and memory.adjustable),
        symbol=fixup.spec_text,
    )
    return apply(code, insn_index, patch)
