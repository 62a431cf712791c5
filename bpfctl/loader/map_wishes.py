"""What somebody wants of an object's maps: other sizes, or loaded maps in their place."""

from __future__ import annotations

import errno

from bpfctl.errors import NotFoundError, UsageError
from bpfctl.kernel.uapi import MapType
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.elf.spec import MapSpec, ObjectSpec
    from bpfctl.errors import SyscallError
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.options import LoadOptions
    from bpfctl.objects.select import Selector

MAX_ENTRIES: Final = 0xFFFFFFFF
# Storage lives with what it belongs to; all other maps need a size (kernel/bpf/bpf_local_storage.c
# and local_storage.c, Linux 6.18).
_SIZELESS: Final = frozenset(
    {
        MapType.CGROUP_STORAGE,
        MapType.PERCPU_CGROUP_STORAGE,
        MapType.SK_STORAGE,
        MapType.INODE_STORAGE,
        MapType.TASK_STORAGE,
        MapType.CGRP_STORAGE,
    }
)


def with_wishes(spec: ObjectSpec, options: LoadOptions) -> ObjectSpec:
    """The blueprint with the sizes somebody chose.

    Raises: NotFoundError for a map the object does not have, UsageError for a size no map has.
    """
    names = {one.name for one in spec.maps}
    for name in (*options.max_entries, *options.reuse):
        if name not in names:
            raise no_map(name, spec)
    for name, size in options.max_entries.items():
        if not 0 < size <= MAX_ENTRIES:
            raise UsageError(f"map {name}: {size} is no size, which is 1 to {MAX_ENTRIES}")
    if not options.max_entries and not options.offload:
        return spec
    return replace(spec, maps=tuple(_changed(one, options) for one in spec.maps))


def _changed(spec: MapSpec, options: LoadOptions) -> MapSpec:
    spec = _sized(spec, options)
    if not options.offload or spec.type == MapType.PERF_EVENT_ARRAY:
        return spec  # perf events stay in the kernel
    return replace(spec, ifindex=options.ifindex)


def _sized(spec: MapSpec, options: LoadOptions) -> MapSpec:
    size = options.max_entries.get(spec.name)
    if size is None:
        return spec
    if spec.section:
        raise UsageError(f"map {spec.name} is a data section, whose size is fixed")
    return replace(spec, max_entries=size)


def lacks_size(spec: MapSpec) -> bool:
    """Whether a definition leaves open how large the map is to be, and its type wants to know."""
    return not spec.max_entries and spec.type not in _SIZELESS


def explain_map(error: SyscallError, spec: MapSpec) -> SyscallError:
    """Say why a map was refused where its blueprint tells."""
    if error.errno == errno.EINVAL and lacks_size(spec):
        error.code = "map-without-size"
        error.message = f"map {spec.name} has no max_entries: the object leaves its size open"
        error.remedy = f"set it: --set-max-entries {spec.name}=N"
    return error


def no_map(name: str, spec: ObjectSpec) -> NotFoundError:
    """Say which maps there are instead."""
    return NotFoundError(
        f"no map is called {name}",
        subject=spec.path,
        remedy=f"maps in it: {', '.join(one.name for one in spec.maps)}" if spec.maps else None,
    )


def open_in_place(spec: MapSpec, wish: Selector | Fd) -> Fd:
    """Open the loaded map that somebody wants in place of one of the object's.

    It may be smaller or larger; another type or other sizes of keys and values would give the
    code another meaning. Raises: UsageError for those, NotFoundError, AmbiguousError, PathError,
    OutputError, SyscallError.
    """
    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.select import find_one

    fd = wish.duplicate() if isinstance(wish, Fd) else find_one(wish)
    try:
        _check_alike(spec, fd, "that is open" if isinstance(wish, Fd) else str(wish))
    except BaseException:
        fd.close()
        raise
    return fd


def _check_alike(spec: MapSpec, fd: Fd, label: str) -> None:
    from bpfctl.kernel.info import map_info
    from bpfctl.kernel.names import label as name_of

    info = map_info(fd)
    for field, wanted in (
        ("type", int(spec.type)),
        ("key_size", spec.key_size),
        ("value_size", spec.value_size),
    ):
        found = info.number(field) or 0
        if found != wanted:
            words = (name_of(MapType, found), name_of(MapType, wanted))
            has, wants = words if field == "type" else (found, wanted)
            raise UsageError(
                f"map {label} cannot stand in for {spec.name}: "
                f"its {field} is {has}, the object wants {wants}",
                code="map-mismatch",
            )
