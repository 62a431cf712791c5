"""Make all maps of an object, or open those that are there already, and fill the new ones."""

from __future__ import annotations

from bpfctl.errors import SyscallError
from bpfctl.kernel.uapi import MapType
from bpfctl.loader import maps
from bpfctl.loader.loaded import LoadedMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfctl.elf.spec import MapSpec
    from bpfctl.loader.extern_result import Externs
    from bpfctl.loader.loaded import LoadedObject
    from bpfctl.loader.options import LoadOptions


def create_maps(
    loaded: LoadedObject,
    options: LoadOptions,
    btf_fd: int,
    externs: Externs,
    owners: Mapping[str, bytes],
) -> None:
    """Make the maps in the order of the object; `owners` has the hash of exclusive maps' programs.

    Raises: SyscallError; PathError and OutputError for maps that are pinned by name.
    """
    for blueprint in loaded.spec.maps:
        if blueprint.struct_ops and blueprint.struct_ops.optional:
            continue
        spec = maps.effective(_with_values(blueprint, externs))
        if spec.struct_ops:
            from bpfctl.loader.struct_ops_load import create_ops_map

            one = LoadedMap(spec, create_ops_map(spec, loaded.struct_ops[spec.name], btf_fd))
        else:
            owner = owners.get(spec.name, b"")
            one = _open_or_create(spec, options, btf_fd, owner, loaded)
        loaded.resources.enter_context(one.fd)
        loaded.maps[spec.name] = one
        if spec.type == MapType.ARENA and not one.reused:
            from bpfctl.loader.arena import map_arena

            loaded.memory[spec.name] = map_arena(spec, one.fd, loaded.resources)
        elif not one.reused:
            maps.fill(spec, one.fd)
    if any(one.values for one in loaded.spec.maps):
        from bpfctl.loader.map_values import store_maps

        store_maps(loaded)


def _with_values(spec: MapSpec, externs: Externs) -> MapSpec:
    if not externs.specs:
        return spec
    from bpfctl.loader.externs import with_kconfig

    return with_kconfig(spec, externs)


def _open_or_create(
    spec: MapSpec, options: LoadOptions, btf_fd: int, owner: bytes, loaded: LoadedObject
) -> LoadedMap:
    if spec.name in options.reuse:
        from bpfctl.loader.map_wishes import open_in_place

        return LoadedMap(spec, open_in_place(spec, options.reuse[spec.name]), reused=True)
    path = None
    if spec.pin_path or spec.pin_by_name:
        from bpfctl.loader.map_pins import named_pin, open_pinned_map

        path = named_pin(spec, options.bpffs)
        fd = open_pinned_map(spec, path) if path else None
        if fd is not None:
            return LoadedMap(spec, fd, path, reused=True)
    try:
        return LoadedMap(spec, maps.create_map(spec, btf_fd, owner, loaded.warnings), path)
    except SyscallError as err:
        from bpfctl.loader.map_wishes import explain_map

        err.knowing(spec)
        raise explain_map(err, spec)  # noqa: B904 - it is the same error
