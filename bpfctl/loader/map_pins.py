"""Maps that are pinned by name: share the pinned one when it is the same, else pin ours.

Source: LIBBPF_PIN_BY_NAME, tools/lib/bpf/bpf_helpers.h (Linux 5.5).
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.errors import OutputError, SyscallError
from bpfctl.kernel.attr import obj_get
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.info import map_info
from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import MapType

if TYPE_CHECKING:
    from bpfctl.elf.spec import MapSpec
    from bpfctl.kernel.fd import Fd

# What a map's descriptor is called (bpf_map_new_fd(), kernel/bpf/syscall.c, Linux 3.18). Asking
# for information does not tell maps from programs: each answers with its own struct.
_MAP_FILE = "anon_inode:bpf-map"
_DEVICE_MAPS = (MapType.DEVMAP, MapType.DEVMAP_HASH)


def pin_path(directory: str, name: str) -> str:
    """Where a program or map of that name is pinned; bpffs takes no dots in names.

    Source: bpf_lookup(), kernel/bpf/inode.c (Linux 4.7): dots are reserved.
    """
    return f"{directory.rstrip('/')}/{name.replace('.', '_')}"


def open_pinned_map(spec: MapSpec, path: str) -> Fd | None:
    """The map pinned at `path`, None when nothing is.

    Raises: OutputError when it is another kind of object or a map unlike `spec`.
    """
    try:
        fd = bpf_fd(obj_get(path))
    except SyscallError as err:
        if err.errno in {errno.ENOENT, errno.ENOTDIR}:
            return None
        err.within(subject=path)
        raise
    try:
        _check_same(spec, fd, path)
    except BaseException:
        fd.close()
        raise
    return fd


def _check_same(spec: MapSpec, fd: Fd, path: str) -> None:
    different = [
        f"{field}: {found} is pinned, the object wants {wanted}"
        for field, wanted, found in _comparison(spec, _pinned_facts(fd, path))
        if wanted != found
    ]
    if different:
        raise OutputError(
            f"the map pinned at {path} is not like map {spec.name}: {different[0]}",
            code="pinned-map-mismatch",
            evidence=different,
            remedy=f"remove the pin (rm {path}) when nothing needs it, or change the object",
        )


def _pinned_facts(fd: Fd, path: str) -> dict[str, int]:
    kind = Path(f"/proc/self/fd/{fd.fileno()}").readlink().name
    if kind != _MAP_FILE:
        raise OutputError(f"what is pinned at {path} is no map", code="pinned-map-mismatch")
    info = map_info(fd)
    fields = ("type", "key_size", "value_size", "max_entries", "map_flags", "map_extra")
    return {name: info.number(name) or 0 for name in fields}


def _comparison(spec: MapSpec, found: dict[str, int]) -> list[tuple[str, object, object]]:
    flags = found["map_flags"]
    if spec.type in _DEVICE_MAPS:  # the kernel sets this one itself (dev_map_alloc, Linux 5.3)
        flags &= ~int(MapFlags.RDONLY_PROG)
    return [
        ("type", label(MapType, int(spec.type)), label(MapType, found["type"])),
        ("key_size", spec.key_size, found["key_size"]),
        ("value_size", spec.value_size, found["value_size"]),
        ("max_entries", spec.max_entries, found["max_entries"]),
        ("map_flags", f"{spec.flags:#x}", f"{flags:#x}"),
        ("map_extra", spec.map_extra, found["map_extra"]),
    ]
