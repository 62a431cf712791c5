"""Maps that are pinned by name: share the pinned one when it is the same, else pin ours.

Source: LIBBPF_PIN_BY_NAME, tools/lib/bpf/bpf_helpers.h (Linux 5.5).
"""

from __future__ import annotations

from bpfctl.errors import NotFoundError, OutputError, PathError
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.info import map_info
from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import MapType
from bpfctl.loader.pins import pin_path
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.pin import open_pin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.elf.spec import MapSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.pins import PinSet

_DEVICE_MAPS = (MapType.DEVMAP, MapType.DEVMAP_HASH)


def named_pin(spec: MapSpec, bpffs: str) -> str | None:
    """Where the definition of a map wants it pinned, None for nowhere."""
    if spec.pin_path:
        return f"{bpffs.rstrip('/')}/{spec.pin_path}"
    return pin_path(bpffs, spec.name) if spec.pin_by_name else None


def make_directories(pins: PinSet, bpffs: str, path: str) -> None:
    """Make the directories between the bpffs and a pin. Raises: PathError."""
    from pathlib import Path  # few maps are pinned in directories of their own

    top = Path(bpffs)
    for folder in reversed(Path(path).relative_to(top).parents[:-1]):
        pins.make_directory(str(top / folder))


def open_pinned_map(spec: MapSpec, path: str) -> Fd | None:
    """The map pinned at `path`, None when nothing is.

    Raises: OutputError when it is another kind of object or a map unlike `spec`; SyscallError.
    """
    try:
        _, fd = open_pin(path, ObjectKind.MAP)
    except (NotFoundError, PathError):
        return None  # where nothing can be pinned either, pinning says so
    try:
        _check_same(spec, fd, path)
    except BaseException:
        fd.close()
        raise
    return fd


def _check_same(spec: MapSpec, fd: Fd, path: str) -> None:
    different = [
        f"{field}: {found} is pinned, the object wants {wanted}"
        for field, wanted, found in _comparison(spec, _pinned_facts(fd))
        if wanted != found
    ]
    if different:
        raise OutputError(
            f"the map pinned at {path} is not like map {spec.name}: {different[0]}",
            code="pinned-map-mismatch",
            evidence=different,
            remedy=f"remove the pin (rm {path}) when nothing needs it, or change the object",
        )


def _pinned_facts(fd: Fd) -> dict[str, int]:
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
