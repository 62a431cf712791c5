"""Links of struct_ops maps: the kernel uses what a map implements while the link is there."""

from __future__ import annotations

import errno

from bpfctl.errors import SyscallError, UsageError
from bpfctl.kernel.attr_link import link_create
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType, MapType
from bpfctl.objects.map import map_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.kernel.fd import Fd


def link_struct_ops(ops: Fd) -> Fd:
    """Link a map that is filled and was made for links (Linux 6.4); the caller closes the link.

    Raises: UsageError (a map of another type), SyscallError.
    """
    info = map_info(ops)
    name = f"map {info.id} {info.name}".rstrip()
    if info.type != MapType.STRUCT_OPS:
        raise UsageError(
            f"{name} is of type {info.type_name}, not struct_ops", code="link-no-struct-ops"
        )
    try:
        return bpf_fd(
            link_create(
                prog_fd=ops, attach_type=AttachType.STRUCT_OPS, doing=f"link struct_ops {name}"
            )
        )
    except SyscallError as err:
        if err.errno == errno.EINVAL:
            err.candidates.append(
                "the map is empty, or was not made for links (section .struct_ops.link)"
            )
        elif err.errno == errno.EEXIST:
            err.candidates.append("one of the same name is registered already")
        raise
