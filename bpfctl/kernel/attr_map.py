"""Requests about maps."""

from __future__ import annotations

from bpfctl.kernel.request import Attr, Descriptor, descriptor, object_name
from bpfctl.kernel.uapi import Cmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bpfctl.kernel.request import Buffer

# include/uapi/linux/bpf.h: BPF_F_NUMA_NODE says that `numa_node` counts.
_F_NUMA_NODE = 1 << 2


def map_create(
    *,
    map_flags: int = 0,
    name: str = "",
    numa_node: int | None = None,
    btf_fd: Descriptor = 0,
    inner_map_fd: Descriptor = 0,
    value_type_btf_obj_fd: Descriptor = 0,
    excl_prog_hash: bytes = b"",
    doing: str = "",
    **numbers: int,
) -> Attr:
    """Ask for a new map. The call returns its descriptor.

    `numbers` are other fields of the request by their names, sizes in bytes: map_type, key_size,
    value_size, max_entries, btf_key_type_id and so on.
    `value_type_btf_obj_fd` is the types of the module that has `btf_vmlinux_value_type_id`, with
    BPF_F_VTYPE_BTF_OBJ_FD (Linux 6.9). `excl_prog_hash` is the SHA-256 of the only program that may
    use the map (6.18).
    """
    attr = Attr(Cmd.MAP_CREATE, doing or f"create map {name}".rstrip())
    attr.set(
        map_flags=map_flags | (0 if numa_node is None else _F_NUMA_NODE),
        numa_node=numa_node or 0,
        btf_fd=descriptor(btf_fd),
        inner_map_fd=descriptor(inner_map_fd),
        value_type_btf_obj_fd=descriptor(value_type_btf_obj_fd),
        excl_prog_hash=attr.pointer(excl_prog_hash),
        excl_prog_hash_size=len(excl_prog_hash),
        **numbers,
    )
    attr.union.map_name = list(object_name(name))
    return attr


def map_elem(
    cmd: Cmd,
    map_fd: Descriptor,
    key: Buffer | None,
    value: Buffer | None = None,
    flags: int = 0,
    *,
    doing: str = "",
) -> Attr:
    """Ask for one element: MAP_LOOKUP_ELEM fills `value`, MAP_UPDATE_ELEM takes it.

    Buffers have the map's sizes; per-CPU values are rounded up to 8 bytes, times possible CPUs.
    """
    attr = Attr(cmd, doing or cmd.name.lower().replace("_", " "))
    attr.set(map_fd=descriptor(map_fd), flags=flags)
    attr.set(key=attr.pointer(key), value=attr.pointer(value))
    return attr


def map_get_next_key(map_fd: Descriptor, key: Buffer | None, next_key: bytearray) -> Attr:
    """Ask for the key after `key` (None: the first), written into `next_key`."""
    attr = Attr(Cmd.MAP_GET_NEXT_KEY, "read the keys of a map")
    attr.set(map_fd=descriptor(map_fd))
    attr.set(key=attr.pointer(key), next_key=attr.pointer(next_key))
    return attr


class MapBatch(Attr):
    """A request for many elements; `count` after the call is how many were done."""

    @property
    def count(self) -> int:
        """Return the number of elements that the kernel processed, also when it failed."""
        return int(self.union.batch.count)


def map_batch(
    cmd: Cmd,
    map_fd: Descriptor,
    in_batch: Buffer | None,
    out_batch: bytearray | None,
    keys: Any,
    values: Any,
    count: int,
    elem_flags: int = 0,
    flags: int = 0,
) -> MapBatch:
    """Ask for `count` elements at once (Linux 5.6).

    `in_batch` is the position an earlier call wrote to its `out_batch`, None for the start.
    """
    attr = MapBatch(cmd, cmd.name.lower().replace("_", " "))
    attr.set(
        "batch",
        in_batch=attr.pointer(in_batch),
        out_batch=attr.pointer(out_batch),
        keys=attr.pointer(keys),
        values=attr.pointer(values),
        count=count,
        map_fd=descriptor(map_fd),
        elem_flags=elem_flags,
        flags=flags,
    )
    return attr


def map_freeze(map_fd: Descriptor) -> Attr:
    """Ask that user space can no longer write to a map (Linux 5.2)."""
    attr = Attr(Cmd.MAP_FREEZE, "freeze a map")
    attr.set(map_fd=descriptor(map_fd))
    return attr
