"""Type information that is loaded in the kernel."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bpfctl.errors import NotSupportedError
from bpfctl.kernel import info as kernel
from bpfctl.objects.ids import ObjectKind, open_id

if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf
    from bpfctl.kernel.info import Info

_KERNEL_FILE: Final = "/sys/kernel/btf/vmlinux"


@lru_cache(maxsize=1)
def kernel_btf() -> Btf:
    """Return the running kernel's own type information; it never changes.

    Raises: NotSupportedError where the kernel was built without, BtfError.
    """
    try:
        data = Path(_KERNEL_FILE).read_bytes()
    except OSError as err:
        raise NotSupportedError(
            "type information of its own",
            "5.4",
            code="no-kernel-btf",
            subject=_KERNEL_FILE,
            remedy="boot a kernel built with CONFIG_DEBUG_INFO_BTF=y",
        ) from err
    return _parse(data, None, _KERNEL_FILE)


def loaded_btf(btf_id: int) -> Btf:
    """Return the type information with an id: a program's, a module's or the kernel's.

    That of a module is based on the kernel's. Raises: NotFoundError, SyscallError, BtfError.
    """
    with open_id(ObjectKind.BTF, btf_id) as fd:
        info, name = kernel.btf_info(fd)
        if name == "vmlinux":
            return kernel_btf()
        base = kernel_btf() if _is_of_module(info) else None
        return _parse(kernel.btf_data(fd), base, name or f"BTF id {btf_id}")


def _parse(data: bytes, base: Btf | None, path: str) -> Btf:
    from bpfctl.btf.decode import Btf  # most listings have no names to look up

    return Btf.parse(data, base=base, path=path)


def _is_of_module(info: Info) -> bool:
    """Say whether the kernel made it: only modules' and its own (kernel_btf, Linux 5.11)."""
    return bool(info.number("kernel_btf"))
