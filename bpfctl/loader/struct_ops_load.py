"""Struct_ops maps in the kernel: make, fill, register."""

from __future__ import annotations

import errno
import struct

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr import link_create, map_create, map_elem
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.uapi import AttachType, Cmd, MapType
from bpfctl.objects.ids import ObjectKind, open_id
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.spec import MapSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.loaded import LoadedObject
    from bpfctl.loader.struct_ops import KernelOps

_POINTER = struct.Struct("<Q")


def create_ops_map(spec: MapSpec, ops: KernelOps, btf_fd: int) -> Fd:
    """Create the map of an implementation; the kernel wants the object's types for it too.

    Raises: SyscallError, NotFoundError when the module with the struct was unloaded meanwhile.
    """
    if ops.module is None:
        return _create(spec, ops, btf_fd, 0)
    with open_id(ObjectKind.BTF, ops.module.id, f"open the types of {ops.module.name}") as fd:
        return _create(spec, ops, btf_fd, fd.fileno())


def _create(spec: MapSpec, ops: KernelOps, btf_fd: int, module_fd: int) -> Fd:
    return bpf_fd(
        map_create(
            map_type=MapType.STRUCT_OPS,
            key_size=spec.key_size,
            value_size=len(ops.data),
            max_entries=1,
            map_flags=spec.flags | (MapFlags.VTYPE_BTF_OBJ_FD if ops.module else 0),
            name=spec.name,
            btf_fd=btf_fd,
            btf_vmlinux_value_type_id=ops.value_type_id,
            value_type_btf_obj_fd=module_fd,
            doing=f"create struct_ops map {spec.name}",
        )
    )


class Registered(NamedTuple):
    """An implementation that the kernel uses; `link` holds it, None: it stays until deleted."""

    name: str
    kernel_struct: str
    map: Fd
    link: Fd | None


def register(loaded: LoadedObject, name: str) -> Registered:
    """Hand a loaded struct_ops map to the kernel. The caller closes the link.

    Raises: SyscallError, with what the kernel's struct refuses as candidates.
    """
    entry, ops = loaded.maps[name], loaded.struct_ops[name]
    value = bytearray(ops.data)
    for slot in ops.slots:
        if slot.program in loaded.programs:
            fd = loaded.programs[slot.program].fd.fileno()
            _POINTER.pack_into(value, slot.offset_bytes, fd)
    linked = bool(entry.spec.flags & MapFlags.LINK)
    doing = f"register struct_ops {name}"
    try:
        bpf(map_elem(Cmd.MAP_UPDATE_ELEM, entry.fd, bytes(4), bytes(value), doing=doing))
    except SyscallError as err:
        # A map with a link gets its value once, and may be linked again.
        if not linked or err.errno != errno.EBUSY:
            raise _explained(err, ops) from None
    if not linked:
        return Registered(name, ops.name, entry.fd, None)
    try:
        link = bpf_fd(link_create(prog_fd=entry.fd, attach_type=AttachType.STRUCT_OPS, doing=doing))
    except SyscallError as err:
        raise _explained(err, ops) from None
    return Registered(name, ops.name, entry.fd, link)


def _explained(err: SyscallError, ops: KernelOps) -> SyscallError:
    """Say what may be wrong: the subsystem that owns the struct checks it, and gives no reasons."""
    if err.errno == errno.EEXIST:
        err.candidates.append(f"a {ops.name} of the same name is registered already")
    elif err.errno == errno.EINVAL:
        err.candidates.append(f"a member that every {ops.name} must have is missing or wrong")
    elif err.errno == errno.EBUSY:
        err.candidates.append(f"this kernel takes one {ops.name} at a time, and has one")
    return err
