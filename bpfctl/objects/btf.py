"""Type information that is loaded in the kernel."""

from __future__ import annotations

import os

from bpfctl.errors import NotFoundError, PathError, SyscallError
from bpfctl.plain_tools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.kernel.info import Info

KERNEL_FOLDER: Final = "/sys/kernel/btf"
KERNEL_FILE: Final = f"{KERNEL_FOLDER}/vmlinux"


def kernel_btf() -> Btf:
    """Return the running kernel's own type information.

    Raises: NotSupportedError where the kernel was built without, PathError, BtfError.
    """
    return read_kernel_btf(KERNEL_FILE)


@cache
def read_kernel_btf(path: str) -> Btf:
    """Return the kernel's type information from a file, which is read once: it never changes.

    Any other file than the kernel's own may be an ELF file too, such as a vmlinux.
    Raises: NotSupportedError where the kernel has none of its own, PathError, ObjectFileError.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        from bpfctl.objects.btf_absent import no_kernel_btf

        raise no_kernel_btf(path) from None
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot read the kernel's types: {words}", subject=path) from err


def _read(path: str) -> Btf:
    if path != KERNEL_FILE:
        from bpfctl.objects.btf_source import raw_btf

        return _parse(raw_btf(path), None, path)
    from bpfctl.objects.btf_index import read_indexed

    return read_indexed(path)


def loaded_btf(btf_id: int) -> Btf:
    """Return the type information with an id: a program's, a module's or the kernel's.

    That of a module is based on the kernel's. Raises: NotFoundError, SyscallError, BtfError.
    """
    from bpfctl.kernel import info as kernel
    from bpfctl.objects.ids import ObjectKind, open_id

    with open_id(ObjectKind.BTF, btf_id) as fd:
        info, name = kernel.btf_info(fd)
        if name == "vmlinux":
            return kernel_btf()
        base = kernel_btf() if _is_of_module(info) else None
        return _parse(kernel.btf_data(fd), base, name or f"BTF id {btf_id}")


def module_btfs(base: Btf) -> Iterator[tuple[str, int, Btf]]:
    """Yield name, id and types of each kernel module that has types of its own, by id.

    None without CAP_SYS_ADMIN, which listing takes. Raises: BtfError.
    Source: kernel_btf of struct bpf_btf_info, Linux 5.11.
    """
    if not _any_module():
        return
    from bpfctl.kernel import info as kernel  # most machines have no modules with types
    from bpfctl.objects.ids import ObjectKind, ids, open_id

    try:
        numbers = list(ids(ObjectKind.BTF))
    except SyscallError:
        return
    for number in numbers:
        try:
            with open_id(ObjectKind.BTF, number) as fd:
                info, name = kernel.btf_info(fd)
                if not _is_of_module(info) or name == "vmlinux":
                    continue
                data = kernel.btf_data(fd)
        except (NotFoundError, SyscallError):  # gone since it was listed
            continue
        yield name, number, _parse(data, base, name)


def _any_module() -> bool:
    """Whether the kernel shows types of a module; true where it cannot be seen.

    Among the BTF objects one would have to ask each: every program may have one.
    """
    try:
        return any(name != "vmlinux" for name in os.listdir(KERNEL_FOLDER))
    except OSError:
        return True


def _parse(data: bytes, base: Btf | None, path: str) -> Btf:
    from bpfctl.btf.decode import Btf  # most listings have no names to look up

    return Btf.parse(data, base=base, path=path)


def _is_of_module(info: Info) -> bool:
    """Say whether the kernel made it: only modules' and its own (kernel_btf, Linux 5.11)."""
    return bool(info.number("kernel_btf"))
