"""The types of the running kernel: read once for a load, and only when something needs them."""

from __future__ import annotations

from bpfctl.plain import plain
from bpfctl.plain_tools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.core import CoreTarget
    from bpfctl.btf.decode import Btf


@plain
class ModuleBtf:
    """The types of a kernel module, which go on where the kernel's end.

    `id` is that of the BTF object: who needs a descriptor opens it, for a module may go away.
    """

    name: str
    id: int
    btf: Btf


class KernelBtf:
    """What one load needs to know about the kernel's types.

    Nothing is read before it is asked for: a plain program needs no types, and the kernel's are
    megabytes. `core_path` is a file of types for CO-RE alone: ids, which only mean something to
    the kernel that gave them, come from its own.
    """

    def __init__(self, path: str, core_path: str | None = None) -> None:
        self._path = path
        self._core_path = core_path or path

    @cached_property
    def btf(self) -> Btf:
        """All types of vmlinux.

        Raises: NotSupportedError when the kernel shows none, PathError when they cannot be read.
        """
        from bpfctl.objects.btf import read_kernel_btf

        return read_kernel_btf(self._path)

    @cached_property
    def modules(self) -> tuple[ModuleBtf, ...]:
        """The types of all loaded modules (Linux 5.11), for what is not in vmlinux.

        Reading them takes CAP_SYS_ADMIN: without it there are none. Neither are there any when
        the kernel's types come from another file: those of modules would not go on from it.
        Raises: what `btf` raises; BtfError.
        """
        from bpfctl.objects.btf import KERNEL_FILE, module_btfs

        if self._path != KERNEL_FILE:
            return ()
        return tuple(ModuleBtf(name, number, btf) for name, number, btf in module_btfs(self.btf))

    @cached_property
    def core_target(self) -> CoreTarget:
        """The types for CO-RE, prepared for lookups; modules' where the kernel's lack one."""
        from bpfctl.btf.core import CoreTarget

        if self._core_path != self._path:
            from bpfctl.objects.btf import read_kernel_btf

            return CoreTarget(read_kernel_btf(self._core_path), list)
        return CoreTarget(self.btf, lambda: [one.btf for one in self.modules])
