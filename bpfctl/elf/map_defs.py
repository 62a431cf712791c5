"""Maps defined in the .maps section: their definition is the type of a variable.

`__uint(name, n)` is a pointer to an array of n, `__ulong` an enumeration with the value, `__type`
a pointer to the type, `__array(values, ...)` an array of pointers. Source: bpf_helpers.h of libbpf
and "BTF-defined maps" (Linux 5.3); field names are those libbpf 1.8 knows.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.elf.map_sections import MAPS
from bpfctl.elf.spec import MapSpec
from bpfctl.errors import BtfError, ObjectFileError
from bpfctl.kernel.uapi import MapType
from bpfctl.plain import plain, replace
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf


_NUMBERS: Final = frozenset(
    {
        "type",
        "key_size",
        "value_size",
        "max_entries",
        "map_flags",
        "numa_node",
        "map_extra",
        "pinning",
    }
)
_TYPES: Final = {"key": "key_size", "value": "value_size"}
_PIN_NONE, _PIN_BY_NAME = 0, 1
_U32, _U64 = (1 << 32) - 1, (1 << 64) - 1
_OF_MAPS: Final = (MapType.ARRAY_OF_MAPS, MapType.HASH_OF_MAPS)
_WITH_VALUES: Final = (*_OF_MAPS, MapType.PROG_ARRAY)


@plain
class _Fields:
    """What a definition says, before it is a map."""

    numbers: dict[str, int]
    type_ids: dict[str, int]
    values_type_id: int = 0  # what the elements of `values` point to
    values_offset: int | None = None  # in bytes from the start of the variable


class MapDef(NamedTuple):
    """A map and where its variable lies in .maps; `values_offset` is absolute there too."""

    spec: MapSpec
    offset: int
    size_bytes: int
    values_offset: int | None


def read_map_defs(btf: Btf, section_size: int, path: str) -> list[MapDef]:
    """All maps of the .maps section, by their place in it.

    `btf` has its DATASECs completed (see `datasec`).
    Raises: ObjectFileError for a definition that makes no sense, BtfError for broken types.
    """
    type_id = btf.find(MAPS, t.Kind.DATASEC)
    datasec = btf.type(type_id) if type_id is not None else None
    if not isinstance(datasec, t.Datasec):
        raise ObjectFileError(
            f'section "{MAPS}" has map definitions, but the type information (BTF) does not say '
            "which",
            code="btf-without-variables",
            path=path,
            section=MAPS,
            evidence=[f"it has no DATASEC {MAPS}, the kind that lists the variables of a section"],
            remedy="compile with -g, and with clang 10 or later: the first that lists them is 9",
        )
    found: list[MapDef] = []
    for info in datasec.vars:
        variable = btf.type(info.type_id)
        if not isinstance(variable, t.Var) or info.offset + info.size_bytes > section_size:
            message = f"variable {variable.name} lies outside of its section"
            raise ObjectFileError(message, path=path, section=MAPS, offset=info.offset)
        try:
            found.append(_map_def(btf, variable, info))
        except _DefinitionError as err:
            message = f"map {variable.name}: {err}"
            raise ObjectFileError(
                message, path=path, section=MAPS, offset=info.offset, code="map-definition"
            ) from err
    return found


class _DefinitionError(ValueError):
    """What is wrong with a definition, in words that go on after the map's name."""


def _map_def(btf: Btf, variable: t.Var, info: t.VarSecinfo) -> MapDef:
    fields = _read_fields(btf, variable.type_id)
    spec = _spec(variable.name, fields, btf)
    values = fields.values_offset
    return MapDef(
        _with_inner(btf, spec, fields),
        info.offset,
        info.size_bytes,
        None if values is None else info.offset + values,
    )


def _with_inner(btf: Btf, spec: MapSpec, fields: _Fields) -> MapSpec:
    """Add the blueprint of inner maps to a map of maps; inner maps have none themselves."""
    if spec.type not in _OF_MAPS or not fields.values_type_id:
        return spec
    inner = _read_fields(btf, fields.values_type_id)
    return replace(spec, inner=_spec(f"{spec.name}.inner", inner, btf))


def _read_fields(btf: Btf, type_id: int) -> _Fields:
    struct = btf.type(btf.skip_modifiers(type_id))
    if not isinstance(struct, t.Struct) or struct.is_union:
        raise _DefinitionError("its definition is no struct")
    numbers: dict[str, int] = {}
    type_ids: dict[str, int] = {}
    values: dict[str, int] = {}
    for member in struct.members:
        if member.name in _NUMBERS:
            numbers[member.name] = _check_range(member.name, _number(btf, member))
        elif member.name in _TYPES:
            type_ids[member.name] = _pointed_to(btf, member)
        elif member.name == "values":
            values["values_offset"] = member.offset_bits // 8
            values["values_type_id"] = _element(btf, member)
        else:
            raise _DefinitionError(f"there is no field {member.name!r} in a map definition")
    return _Fields(numbers, type_ids, **values)


def _number(btf: Btf, member: t.Member) -> int:
    """The n of a pointer to an array of n, or the value of an enumeration."""
    found = btf.type(btf.skip_modifiers(member.type_id))
    if isinstance(found, t.Enum) and len(found.values) == 1:
        return found.values[0].value
    if isinstance(found, t.Ptr):
        array = btf.type(btf.skip_modifiers(found.type_id))
        if isinstance(array, t.Array):
            return array.nelems
    raise _DefinitionError(f"field {member.name!r} is no number: write __uint({member.name}, n)")


def _check_range(name: str, value: int) -> int:
    most = _U64 if name == "map_extra" else _U32
    if not 0 <= value <= most:
        raise _DefinitionError(f"field {name!r} is {value}, outside of 0 to {most}")
    return value


def _pointed_to(btf: Btf, member: t.Member) -> int:
    found = btf.type(btf.skip_modifiers(member.type_id))
    if not isinstance(found, t.Ptr):
        raise _DefinitionError(f"field {member.name!r} is no type: write __type({member.name}, t)")
    return found.type_id


def _element(btf: Btf, member: t.Member) -> int:
    """What the pointers of `values` point to: a map definition, or a program."""
    array = btf.type(btf.skip_modifiers(member.type_id))
    if isinstance(array, t.Array):
        pointer = btf.type(btf.skip_modifiers(array.elem_type_id))
        if isinstance(pointer, t.Ptr):
            return pointer.type_id
    raise _DefinitionError("field 'values' is no array of pointers")


def _spec(name: str, fields: _Fields, btf: Btf) -> MapSpec:
    numbers = fields.numbers
    if "type" not in numbers:
        raise _DefinitionError("field 'type' is missing")
    pinning = numbers.get("pinning", _PIN_NONE)
    if pinning not in (_PIN_NONE, _PIN_BY_NAME):
        raise _DefinitionError(f"pinning {pinning} is neither 0 (none) nor 1 (by name)")
    sizes = {what: _size(btf, fields, what) for what in _TYPES}
    if numbers["type"] in _WITH_VALUES and fields.values_type_id:
        sizes["value"] = 4  # a file descriptor goes in, an id comes out
    return MapSpec(
        name=name,
        type=map_type(numbers["type"]),
        key_size=sizes["key"],
        value_size=sizes["value"],
        max_entries=numbers.get("max_entries", 0),
        flags=numbers.get("map_flags", 0),
        key_type_id=fields.type_ids.get("key", 0),
        value_type_id=fields.type_ids.get("value", 0),
        numa_node=numbers.get("numa_node"),
        map_extra=numbers.get("map_extra", 0),
        pin_by_name=pinning == _PIN_BY_NAME,
    )


def _size(btf: Btf, fields: _Fields, what: str) -> int:
    """The size of key or value: of its type, or as given; both must agree."""
    given = fields.numbers.get(_TYPES[what])
    if what not in fields.type_ids:
        return given or 0
    try:
        size = btf.size_of(fields.type_ids[what])
    except BtfError as err:
        raise _DefinitionError(f"its {what} has no size: {err.message}") from err
    if given is not None and given != size:
        raise _DefinitionError(f"its {what} is {size} bytes large, but {_TYPES[what]} is {given}")
    return size


def map_type(number: int) -> MapType | int:
    """A map type by its number, which stays a number if it is newer than we are."""
    try:
        return MapType(number)
    except ValueError:
        return number
