"""The types of the running kernel: read once for a load, and only when something needs them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.errors import NotSupportedError, PathError

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
        from bpfctl.btf.decode import Btf

        try:
            data = Path(self._path).read_bytes()
        except FileNotFoundError:
            raise NotSupportedError(
                f"programs that need the kernel's types: there is no {self._path}",
                "5.4",
                code="kernel-btf-missing",
                remedy="boot a kernel built with CONFIG_DEBUG_INFO_BTF=y",
            ) from None
        except OSError as err:
            raise PathError(
                f"cannot read the kernel's types: {err.strerror}", subject=self._path
            ) from err
        return Btf.parse(data, path=self._path)

    @cached_property
    def core_target(self) -> CoreTarget:
        """The same types, prepared for CO-RE lookups."""
        from bpfctl.btf.core import CoreTarget

        return CoreTarget(self.btf)
