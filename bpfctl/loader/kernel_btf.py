"""The types of the running kernel: read once for a load, and only when something needs them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpfctl.btf.core import CoreTarget
    from bpfctl.btf.decode import Btf


class KernelBtf:
    """What one load needs to know about the kernel's types.

    Nothing is read before it is asked for: a plain program needs no types, and the kernel's are
    megabytes.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    @cached_property
    def btf(self) -> Btf:
        """All types of vmlinux.

        Raises: NotSupportedError when the kernel shows none, PathError when they cannot be read.
        """
        from bpfctl.objects.btf import read_kernel_btf

        return read_kernel_btf(self._path)

    @cached_property
    def core_target(self) -> CoreTarget:
        """The same types, prepared for CO-RE lookups."""
        from bpfctl.btf.core import CoreTarget

        return CoreTarget(self.btf)
