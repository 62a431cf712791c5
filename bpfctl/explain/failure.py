"""A failed call with all that is known about it."""

from __future__ import annotations

from functools import cached_property

from bpfctl.elf.spec import ObjectSpec
from bpfctl.errors import BpfctlError
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.plain_typing import TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import ProgramSpec
    from bpfctl.errors import SyscallError
    from bpfctl.linux.kconfig import KernelConfig

_F = TypeVar("_F")


class Failure:
    """What checks look at, and where they leave what is no confirmed cause.

    `call` is what was refused ("BPF_MAP_CREATE", "perf_event_open", "netlink"), `request` its
    argument as it was sent: descriptors in it may be closed, or be others by now. Checks append
    to `evidence` what they saw and to `candidates` what may be the cause ("... (check: ...)").
    """

    def __init__(self, error: SyscallError) -> None:
        self.error = error
        self.call = error.call
        self.errno = error.errno or 0
        self.request: Any = error.request
        self.evidence: list[str] = []
        self.candidates: list[str] = []

    def fact(self, kind: type[_F]) -> _F | None:
        """Return what of that class a border said the operation was about; None: nothing."""
        found = [one for one in self.error.facts if isinstance(one, kind)]
        return found[-1] if found else None

    def field(self, path: str) -> int:
        """Return a field of the request as it was sent ("map_type", "link_create.flags").

        0 where there was no such request.
        """
        return 0 if self.request is None else int(self.request.value(path))

    @cached_property
    def program(self) -> ProgramSpec | None:
        """The blueprint of the program that was loaded or attached, if the error names one."""
        spec = self.fact(ObjectSpec)
        programs = spec.programs if spec else ()
        return next((one for one in programs if one.name == self.error.program), None)

    @cached_property
    def kernel(self) -> KernelBtf:
        """The running kernel's types: those that were read before, if any were."""
        from bpfctl.objects.btf import KERNEL_FILE

        return self.fact(KernelBtf) or KernelBtf(KERNEL_FILE)

    @cached_property
    def btf(self) -> Btf | None:
        """All types of vmlinux; None where they cannot be read."""
        try:
            return self.kernel.btf
        except BpfctlError:
            return None

    @cached_property
    def config(self) -> KernelConfig | None:
        """How the kernel was built; None where that cannot be read."""
        from bpfctl.linux.kconfig import kernel_config

        return kernel_config()
