"""Fit the code of functions to the types of the running kernel (CO-RE)."""

from __future__ import annotations

from bpfctl.errors import BpfctlError, RelocationError

TYPE_CHECKING = False
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
        from bpfctl.loader.core_fit import fit  # many objects have no relocations of this kind

        if self._btf is None:
            raise RelocationError("CO-RE relocations without type information")
        return fit(function, self._btf, self._kernel.core_target)
