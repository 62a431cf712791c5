"""Arenas: memory that programs and user space share.

Source: kernel/bpf/arena.c, Linux 6.9: an arena has its address from the first mapping in user
space, or from map_extra, and programs that use it load only once it has one.
"""

from __future__ import annotations

import mmap

from bpfctl.errors import ObjectFileError
from bpfctl.kernel.mapping import map_shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack

    from bpfctl.elf.spec import MapSpec
    from bpfctl.kernel.fd import Fd


def map_arena(spec: MapSpec, fd: Fd, resources: ExitStack) -> memoryview:
    """Map an arena into memory, at the address it wants, and store its variables.

    `resources` ends the view of it that is returned, and with the last view the mapping goes; the
    arena keeps its address and contents.
    Raises: ObjectFileError when the variables do not fit, SyscallError.
    """
    size = spec.max_entries * mmap.PAGESIZE
    contents = spec.contents or b""
    if len(contents) > size:
        message = f"the variables of arena {spec.name} take {len(contents)} bytes, it has {size}"
        raise ObjectFileError(message, section=spec.section)
    memory = map_shared(
        fd.fileno(),
        0,
        size,
        writable=True,
        address=spec.map_extra,
        doing=f"map arena {spec.name} into memory",
    )
    resources.enter_context(memory)
    memory[: len(contents)] = contents
    return memory
