"""Create the maps of an object and fill those behind its data sections."""

from __future__ import annotations

import errno
import os

from bpfctl.errors import NotSupportedError, SyscallError
from bpfctl.kernel.attr_map import map_create, map_elem, map_freeze
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.spec import MapSpec
    from bpfctl.kernel.attr import Attr
    from bpfctl.kernel.fd import Fd

_OF_MAPS = (MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS)
_RING_BUFFERS = (MapType.RINGBUF, MapType.USER_RINGBUF)
# Map types that take no types: the kernel answers ENOTSUPP (map_check_no_btf(),
# kernel/bpf/syscall.c, Linux 4.18).
_WITHOUT_BTF = frozenset(
    {
        MapType.PERF_EVENT_ARRAY,
        MapType.CGROUP_ARRAY,
        MapType.STACK_TRACE,
        MapType.DEVMAP,
        MapType.DEVMAP_HASH,
        MapType.CPUMAP,
        MapType.XSKMAP,
        MapType.SOCKMAP,
        MapType.SOCKHASH,
        MapType.QUEUE,
        MapType.STACK,
        MapType.ARRAY_OF_MAPS,
        MapType.HASH_OF_MAPS,
        MapType.ARENA,
    }
)


def effective(spec: MapSpec) -> MapSpec:
    """The blueprint as the kernel wants it on this machine.

    A ring buffer's size becomes a power of two of whole pages, as ringbuf_map_alloc()
    (kernel/bpf/ringbuf.c, Linux 5.8) demands; a perf event array without a size gets one slot for
    each possible CPU; a wish for a NUMA node is also a flag; type ids go where the kernel refuses
    them.
    """
    if spec.type in _RING_BUFFERS:
        spec = replace(spec, max_entries=ring_size(spec.max_entries, os.sysconf("SC_PAGE_SIZE")))
    if spec.type == MapType.PERF_EVENT_ARRAY and not spec.max_entries:
        from bpfctl.linux.cpus import possible_cpus

        spec = replace(spec, max_entries=possible_cpus())
    if spec.numa_node is not None:
        spec = replace(spec, flags=spec.flags | MapFlags.NUMA_NODE)
    if (spec.key_type_id or spec.value_type_id) and not _takes_types(spec):
        spec = replace(spec, key_type_id=0, value_type_id=0)
    if spec.inner is not None:
        spec = replace(spec, inner=effective(spec.inner))
    return spec


def _takes_types(spec: MapSpec) -> bool:
    """Whether the kernel takes the types of key and value: both or none, save for keyless maps.

    A definition may give one by its type and the other by its size alone; the map then goes
    without types, as with libbpf. The key of a data section's map has none, and that is fine.
    Source: map_check_btf(), kernel/bpf/syscall.c, Linux 6.18: "Some maps allow key to be
    unspecified".
    """
    if spec.type in _WITHOUT_BTF or not spec.value_type_id:
        return False
    return bool(spec.key_type_id or not spec.key_size or spec.section)


def ring_size(size_bytes: int, page_bytes: int) -> int:
    """The smallest size a ring buffer can have that holds `size_bytes`; 0 stays 0."""
    if size_bytes <= 0:
        return size_bytes
    pages = -(-size_bytes // page_bytes)
    return int(page_bytes << (pages - 1).bit_length())


def create_map(
    spec: MapSpec, btf_fd: int, owner: bytes = b"", warnings: list[str] | None = None
) -> Fd:
    """Create the map of an effective blueprint; `btf_fd` is the loaded types, 0 for none.

    `owner` is the hash of the only program that may use it (Linux 6.18). A kernel that refuses the
    types takes the map without, and `warnings` tells: programs that need them are refused later.
    (Before Linux 5.12 a section without variables cannot be the type of its map's value, which
    nobody misses.) A map of maps needs one of the inner maps to be made, which goes again.
    Raises: SyscallError.
    """
    warnings = [] if warnings is None else warnings
    if spec.inner is None:
        try:
            return _create(spec, btf_fd, 0, owner, warnings)
        except SyscallError as err:
            raise _without_inner(err, spec)  # noqa: B904 - it is the same error
    with create_map(spec.inner, btf_fd, warnings=warnings) as inner:
        return _create(spec, btf_fd, inner.fileno(), owner, warnings)


def _without_inner(error: SyscallError, spec: MapSpec) -> SyscallError:
    """Say that a map of maps was refused because nothing tells what its inner maps are."""
    if spec.type in _OF_MAPS:
        error.code = "map-without-inner"
        error.message = f"map {spec.name} is one of maps, and its definition does not tell of which"
        error.remedy = "define it with __array(values, struct INNER), or use a loaded map in place"
    return error


def _create(spec: MapSpec, btf_fd: int, inner_fd: int, owner: bytes, warnings: list[str]) -> Fd:
    typed = bool(btf_fd and (spec.key_type_id or spec.value_type_id))
    try:
        return bpf_fd(_creation(spec, btf_fd if typed else 0, inner_fd, owner))
    except SyscallError as err:
        if owner and err.errno == errno.E2BIG:
            raise NotSupportedError("exclusive maps", "6.18") from err
        if err.errno == errno.EPERM or not typed:
            raise
        refused = err
    try:
        untyped = bpf_fd(_creation(spec, 0, inner_fd, owner))
    except SyscallError:
        raise refused from None
    if not spec.section:
        words = f"the kernel refuses the types of map {spec.name} ({refused.errno_name})"
        warnings.append(f"{words}: it goes without")
    return untyped


def _creation(spec: MapSpec, btf_fd: int, inner_fd: int, owner: bytes) -> Attr:
    return map_create(
        map_type=int(spec.type),
        key_size=spec.key_size,
        value_size=spec.value_size,
        max_entries=spec.max_entries,
        map_flags=spec.flags,
        name=spec.name,
        numa_node=spec.numa_node,
        btf_fd=btf_fd,
        btf_key_type_id=spec.key_type_id if btf_fd else 0,
        btf_value_type_id=spec.value_type_id if btf_fd else 0,
        inner_map_fd=inner_fd,
        map_ifindex=spec.ifindex,
        map_extra=spec.map_extra,
        excl_prog_hash=owner,
        doing=f"create map {spec.name}",
    )


def fill(spec: MapSpec, fd: Fd) -> None:
    """Store the initial contents of a data section's map, and freeze a read-only one.

    Zeroes need no storing. Raises: SyscallError.
    """
    if spec.contents is not None and spec.contents.strip(b"\0"):
        contents = spec.contents.ljust(spec.value_size, b"\0")
        bpf(map_elem(Cmd.MAP_UPDATE_ELEM, fd, bytes(4), contents))
    if spec.read_only:
        try:
            bpf(map_freeze(fd))
        except SyscallError as err:
            err.within(subject=spec.name)
            raise
