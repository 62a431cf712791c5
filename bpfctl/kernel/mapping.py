"""Files and maps as memory: nothing is copied, and only what is looked at is read."""

from __future__ import annotations

import os

from bpfctl.errors import SyscallError
from bpfctl.kernel.libc import ffi, lib

_PROT_READ = 1
_PROT_WRITE = 2
_MAP_SHARED = 1
_MAP_PRIVATE = 2
_FIXED_NOREPLACE = 0x100000  # include/uapi/asm-generic/mman-common.h, Linux 4.17


def map_file(path: str) -> memoryview:
    """Map a file that never changes: who cuts one that is mapped kills its readers (SIGBUS).

    The mapping lives as long as a view of it, and holds no descriptor (Python's own mmap does).
    Raises: OSError for a file that cannot be opened, SyscallError for one that cannot be mapped:
    files of /sys/kernel/btf can be from Linux 6.16 on.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return map_descriptor(descriptor, path)
    finally:
        os.close(descriptor)


def map_descriptor(descriptor: int, path: str) -> memoryview:
    """Map an open file, `path` in messages, as `map_file` does; it may be closed then.

    Raises: SyscallError.
    """
    size = os.fstat(descriptor).st_size
    return _mapped(descriptor, 0, size, _PROT_READ, _MAP_PRIVATE, f"map {path}").toreadonly()


def map_shared(
    descriptor: int,
    offset: int,
    size: int,
    *,
    writable: bool = False,
    address: int = 0,
    doing: str = "map memory of the kernel",
) -> memoryview:
    """Map memory of the kernel, such as a ring buffer's; both see what the other writes.

    It is mapped at `address` and nowhere else, unless that is 0. The mapping lives as long as a
    view of it. Raises: SyscallError.
    """
    protection = _PROT_READ | _PROT_WRITE if writable else _PROT_READ
    flags = _MAP_SHARED | (_FIXED_NOREPLACE if address else 0)
    return _mapped(descriptor, offset, size, protection, flags, doing, address)


def _mapped(
    descriptor: int,
    offset: int,
    size: int,
    protection: int,
    flags: int,
    doing: str,
    address: int = 0,
) -> memoryview:
    place = lib.mmap(ffi.cast("void *", address), size, protection, flags, descriptor, offset)
    if int(ffi.cast("intptr_t", place)) == -1:
        raise SyscallError(ffi.errno, "mmap", doing)
    unmap = lib.munmap  # at the end of the interpreter `lib` may be gone before the mapping
    owned = ffi.gc(place, lambda mapped: unmap(mapped, size))
    return memoryview(ffi.buffer(owned, size))
