"""Initial contents of maps of maps and of program arrays.

Source: the behaviour of libbpf 1.5: maps are stored when all are there, programs when all are
loaded; both are stored as descriptors (bpf_fd_array_map_update_elem, kernel/bpf/arraymap.c).
"""

from __future__ import annotations

from bpfctl.elf.spec import RelocKind
from bpfctl.errors import ObjectFileError
from bpfctl.kernel.attr import map_elem
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.loader.link_code import reachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bpfctl.elf.spec import MapSpec, ObjectSpec, ProgramSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.loaded import LoadedMap, LoadedObject

_OF_MAPS = (MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS)


def check_values(spec: ObjectSpec) -> None:
    """Refuse initial contents that no kernel takes.

    Raises: ObjectFileError for a value that is no map or program of the object, as the type of
    its map demands, for a place behind the end of the map, and for any other type of map.
    """
    maps = {one.name for one in spec.maps}
    programs = {one.name for one in spec.programs}
    for one in spec.maps:
        for index, name in one.values:
            problem = _problem(one, index, name, maps, programs)
            if problem:
                message = f"map {one.name}: its value {index}, {name}, {problem}"
                raise ObjectFileError(message, path=spec.path, code="map-values")


def _problem(one: MapSpec, index: int, name: str, maps: set[str], programs: set[str]) -> str | None:
    if one.type == MapType.PROG_ARRAY:
        wanted, what = programs, "program"
    elif one.type in _OF_MAPS:
        wanted, what = maps, "map"
    else:
        return "cannot be stored: only maps of maps and program arrays have initial values"
    if name not in wanted:
        return f"is no {what} of the object"
    if one.type != MapType.HASH_OF_MAPS and index >= one.max_entries:
        return f"is behind the end of the map, which has {one.max_entries} entries"
    return None


def with_array_members(
    spec: ObjectSpec, chosen: Iterable[ProgramSpec], left_out: Collection[str] = ()
) -> tuple[ProgramSpec, ...]:
    """Add the programs that the chosen ones may call, in the object's order.

    Those are the first contents of program arrays. A tail call into an empty place of an array
    goes on as if nothing were: a program that is not there would silently not run.
    """
    by_name = {one.name: one for one in spec.programs}
    values = {one.name: one.values for one in spec.maps if one.type == MapType.PROG_ARRAY}
    names = {one.name for one in chosen}
    open_names = list(names) if any(values.values()) else []
    while open_names:
        callable_names = {
            name
            for used in _maps_of(spec, by_name[open_names.pop()])
            for _, name in values.get(used, ())
        }
        new = callable_names & by_name.keys() - names - set(left_out)
        names |= new
        open_names += new
    return tuple(one for one in spec.programs if one.name in names)


def _maps_of(spec: ObjectSpec, program: ProgramSpec) -> set[str]:
    """The maps a program refers to, itself or in a function it calls."""
    return {
        reloc.target
        for function in reachable(spec, program.function)
        for reloc in function.relocs
        if reloc.kind is RelocKind.MAP
    }


def store_maps(loaded: LoadedObject) -> None:
    """Fill new maps of maps; those that were pinned keep what they have. Raises: SyscallError."""
    for entry in loaded.maps.values():
        if entry.spec.type in _OF_MAPS and not entry.reused:
            for index, name in entry.spec.values:
                _store(entry, index, name, loaded.maps[name].fd)


def store_programs(loaded: LoadedObject) -> None:
    """Fill program arrays, pinned ones too: new programs take the old ones' places.

    Raises: SyscallError.
    """
    for entry in loaded.maps.values():
        if entry.spec.type == MapType.PROG_ARRAY:
            for index, name in entry.spec.values:
                if name in loaded.programs:
                    _store(entry, index, name, loaded.programs[name].fd)


def _store(entry: LoadedMap, index: int, name: str, fd: Fd) -> None:
    key = index.to_bytes(max(entry.spec.key_size, 4), "little")
    doing = f"store {name} at {index} of map {entry.name}"
    value = fd.fileno().to_bytes(4, "little")
    bpf(map_elem(Cmd.MAP_UPDATE_ELEM, entry.fd, key, value, doing=doing))
