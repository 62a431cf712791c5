"""Maps in the kernel: find them, and read and change their entries."""

from __future__ import annotations

import errno

from bpfctl.errors import BpfctlError, NotFoundError, SyscallError, UsageError
from bpfctl.kernel.attr_map import map_elem
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.linux.cpus import possible_cpus
from bpfctl.objects.ids import ObjectKind, ids, open_id
from bpfctl.objects.map_batch import Layout, Walk
from bpfctl.objects.map_info import MapInfo, map_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from bpfctl.btf.decode import Btf
    from bpfctl.kernel.fd import Fd
    from bpfctl.kernel.request import Attr

__all__ = ["ID_TYPES", "PER_CPU_TYPES", "Map", "MapInfo", "map_info", "maps"]

PER_CPU_TYPES = frozenset(
    {
        MapType.PERCPU_HASH,
        MapType.PERCPU_ARRAY,
        MapType.LRU_PERCPU_HASH,
        MapType.PERCPU_CGROUP_STORAGE,
    }
)
# Written with descriptors, read as ids (bpf_fd_array_map_lookup_elem, kernel/bpf/arraymap.c).
ID_TYPES = frozenset({MapType.PROG_ARRAY, MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS})
INDEXED_TYPES = frozenset(
    {MapType.ARRAY, MapType.PERCPU_ARRAY, MapType.PROG_ARRAY, MapType.ARRAY_OF_MAPS}
)
_STORAGE = "it belongs to other objects: an entry is looked up by a descriptor of its owner"
# Types whose entries nobody can list, and why.
UNLISTED: dict[int, str] = {
    MapType.QUEUE: "its entries can be taken one at a time, and not listed",
    MapType.STACK: "its entries can be taken one at a time, and not listed",
    MapType.BLOOM_FILTER: "it answers whether a value is in it, and keeps no list",
    MapType.RINGBUF: "it is a stream of records without keys, read by mapping it into memory",
    MapType.USER_RINGBUF: "it is a stream of records without keys, written from user space",
    MapType.PERF_EVENT_ARRAY: "it holds perf events, which user space cannot look up",
    MapType.SK_STORAGE: _STORAGE,
    MapType.INODE_STORAGE: _STORAGE,
    MapType.TASK_STORAGE: _STORAGE,
    MapType.CGRP_STORAGE: _STORAGE,
    MapType.ARENA: "it is memory without keys, to be mapped",
}


def maps() -> Iterator[MapInfo]:
    """Yield every map, ascending by id; one that vanishes meanwhile is skipped.

    Raises: SyscallError (EPERM without CAP_SYS_ADMIN).
    """
    for map_id in ids(ObjectKind.MAP):
        try:
            with open_id(ObjectKind.MAP, map_id, "list maps") as fd:
                yield map_info(fd)
        except NotFoundError:
            continue


class Map:
    """An open map; owns its descriptor.

    Keys and values are bytes as the kernel has them, in the machine's byte order. The value of a
    per-CPU map has `slots` values, each padded to `slot_size` bytes.
    """

    def __init__(self, fd: Fd) -> None:
        """Take ownership of the descriptor of a map, also on errors. Raises: SyscallError."""
        self.fd = fd
        try:
            self.info = map_info(fd)
        except BaseException:
            fd.close()
            raise
        self.per_cpu = self.info.type in PER_CPU_TYPES
        self.slots = possible_cpus() if self.per_cpu else 1
        size = self.info.bytes_value
        self.slot_size = (size + 7) & ~7 if self.per_cpu else size

    @property
    def value_size(self) -> int:
        """The bytes of a value that the kernel reads or writes, those of all CPUs."""
        return self.slot_size * self.slots

    def lookup(self, key: bytes, flags: int = 0) -> bytes:
        """The value of a key. Raises: KeyNotFoundError, SyscallError."""
        value = bytearray(self.value_size)
        bpf(self._elem(Cmd.MAP_LOOKUP_ELEM, key, value, flags, "look up a key"))
        return bytes(value)

    def update(self, key: bytes, value: bytes, flags: int = 0) -> None:
        """Set the value of a key; `flags` are UpdateFlags. Raises: SyscallError."""
        if len(value) != self.value_size:
            message = f"a value of this map has {self.value_size} bytes, not {len(value)}"
            raise UsageError(message, code="map-value-size")
        try:
            bpf(self._elem(Cmd.MAP_UPDATE_ELEM, key, value, flags, "set a value"))
        except SyscallError as err:
            if err.errno == errno.E2BIG:  # full, or in an array behind the end
                err.evidence.append(f"the map has room for {self.info.max_entries} entries")
            raise

    def delete(self, key: bytes) -> None:
        """Remove a key. Raises: KeyNotFoundError, SyscallError."""
        bpf(self._elem(Cmd.MAP_DELETE_ELEM, key, None, 0, "delete a key"))

    def _elem(
        self, cmd: Cmd, key: bytes, value: bytes | bytearray | None, flags: int, doing: str
    ) -> Attr:
        if len(key) != self.info.bytes_key:
            message = f"a key of this map has {self.info.bytes_key} bytes, not {len(key)}"
            raise UsageError(message, code="map-key-size")
        return map_elem(cmd, self.fd, key, value, flags, doing=doing)

    def walk(self) -> Walk:
        """A reading of all entries. Raises: BpfctlError for a type that cannot be listed."""
        reason = UNLISTED.get(self.info.type)
        if reason:
            raise BpfctlError(
                f"the entries of a map of type {self.info.type_name} cannot be read: {reason}",
                code="map-not-listable",
                subject=f"map {self.info.id}",
            )
        batches = self.info.type not in ID_TYPES
        layout = Layout(self.info.bytes_key, self.value_size, self.info.max_entries, batches)
        return Walk(self.fd, layout)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key with its value, as `walk` finds them."""
        key_size, value_size = self.info.bytes_key, self.value_size
        for batch in self.walk().batches():
            for index in range(batch.count):
                key = batch.keys[index * key_size : (index + 1) * key_size]
                yield key, batch.values[index * value_size : (index + 1) * value_size]

    def btf(self) -> Btf | None:
        """The type information of its keys and values, None for a map without.

        Raises: SyscallError, BtfError.
        """
        from bpfctl.objects.btf import kernel_btf, loaded_btf

        if self.info.btf_vmlinux_value_type_id:
            return kernel_btf()
        try:
            return loaded_btf(self.info.btf_id) if self.info.btf_id else None
        except SyscallError as err:
            if err.errno == errno.EPERM:  # ids are for CAP_SYS_ADMIN; the entries may be readable
                return None
            raise

    def close(self) -> None:
        """Close the descriptor. The map stays while something else holds it."""
        self.fd.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
