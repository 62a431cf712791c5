"""Arenas: memory that programs and user space share.

Source: kernel/bpf/arena.c, Linux 6.9: an arena has its address from the first mapping in user
space, or from map_extra, and programs that use it load only once it has one.
"""

from __future__ import annotations

import mmap

from bpfctl.errors import ObjectFileError, SyscallError
from bpfctl.kernel.libc import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack
    from typing import Final

    from bpfctl.elf.spec import MapSpec
    from bpfctl.kernel.fd import Fd

_FIXED_NOREPLACE: Final = 0x100000  # include/uapi/asm-generic/mman-common.h, Linux 4.17


def map_arena(spec: MapSpec, fd: Fd, resources: ExitStack) -> None:
    """Map an arena into memory, at the address it wants, and store its variables.

    `resources` removes the mapping; the arena keeps its address and contents.
    Raises: ObjectFileError when the variables do not fit, SyscallError.
    """
    size = spec.max_entries * mmap.PAGESIZE
    contents = spec.contents or b""
    if len(contents) > size:
        message = f"the variables of arena {spec.name} take {len(contents)} bytes, it has {size}"
        raise ObjectFileError(message, section=spec.section)
    flags = mmap.MAP_SHARED | (_FIXED_NOREPLACE if spec.map_extra else 0)
    wanted = ffi.cast("void *", spec.map_extra)
    access = mmap.PROT_READ | mmap.PROT_WRITE
    place = lib.mmap(wanted, size, access, flags, fd.fileno(), 0)
    if int(ffi.cast("intptr_t", place)) == -1:
        raise SyscallError(ffi.errno, "mmap", f"map arena {spec.name} into memory")
    resources.callback(lib.munmap, place, size)
    ffi.memmove(place, contents, len(contents))
