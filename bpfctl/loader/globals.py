"""Find global variables of an object, and set them before it loads (`--set limit=10`). Pure."""

from __future__ import annotations

import re

from bpfctl.btf.access import locate
from bpfctl.btf.types import Datasec, Kind, Var
from bpfctl.btf.write_value import write_value
from bpfctl.elf.externs import KCONFIG
from bpfctl.errors import AmbiguousError, BpfctlError, NotFoundError, UsageError
from bpfctl.plain import replace
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any, Final

    from bpfctl.btf.access import Place
    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import MapSpec, ObjectSpec

    Assignment = str | tuple[str, Any]

_NEAREST: Final = 3
_LISTED: Final = 12
_STATIC: Final = re.compile(r"[A-Za-z_][\w.]*")  # the compiler calls a function's "function.name"


class _Variable(NamedTuple):
    """A variable and where it lies: the map behind its section, byte offset."""

    map: str
    section: str
    offset: int
    type_id: int


def with_globals(
    spec: ObjectSpec, assignments: Iterable[Assignment], shared: Collection[str] = ()
) -> ObjectSpec:
    """Return the blueprint with variables set, each by a word NAME=VALUE, or a name and a value.

    NAME may go on into structs and arrays (cfg.port, table[2].key). `shared` are maps that exist
    already, and whose contents are not ours to set.
    Raises: UsageError for what is no assignment or a value that does not fit, NotFoundError for no
    such variable or member, AmbiguousError for a static variable that several files have.
    """
    contents: dict[str, bytearray] = {}
    wanted = list(assignments)
    if not wanted:
        return spec
    for one in wanted:
        word = f"--set {one}" if isinstance(one, str) else one[0]
        try:
            _assign(spec, one, contents, shared)
        except BpfctlError as err:
            err.within(subject=spec.path)
            err.message = f"{word}: {err.message}"
            raise
    filled = (
        replace(one, contents=bytes(contents[one.name])) if one.name in contents else one
        for one in spec.maps
    )
    return replace(spec, maps=tuple(filled))


def _assign(
    spec: ObjectSpec,
    assignment: Assignment,
    contents: dict[str, bytearray],
    shared: Collection[str],
) -> None:
    if isinstance(assignment, str):
        target, equals, text = assignment.partition("=")
        if not equals or not target:
            raise UsageError("expected NAME=VALUE")
    else:
        target, value = assignment
    one, place = find_variable(spec, target)
    assert spec.btf is not None  # else nothing was found
    if one.name in shared:
        raise UsageError(f"its map {one.name} exists already, and is used as it is")
    data = contents.setdefault(one.name, bytearray(initial(one)))
    if isinstance(assignment, str):
        write_value(spec.btf, data, place, text)
        return
    from bpfctl.btf.encode_value import write_plain

    write_plain(spec.btf, data, place, value)


def initial(one: MapSpec) -> bytes:
    """What is in the map behind a section when it is made."""
    return (one.contents or b"").ljust(one.value_size, b"\0")


def find_variable(spec: ObjectSpec, target: str) -> tuple[MapSpec, Place]:
    """Return the map with a variable or a part of one ("cfg.port"), and where in it that is.

    Raises: UsageError (no types; no variable of the object; no such path), NotFoundError,
    AmbiguousError, BtfError for a type that is larger than the section.
    """
    if spec.btf is None:
        raise UsageError("the object has no type information", remedy="compile it with -g")
    maps = _by_section(spec)
    variable, path = _find(spec.btf, maps, target)
    place = locate(spec.btf, variable.type_id, path)
    place = replace(place, offset_bits=place.offset_bits + 8 * variable.offset)
    one = maps[variable.section]
    bits = place.bits or 8 * spec.btf.size_of(place.type_id)
    if place.offset_bits + bits > 8 * len(initial(one)):
        message = f"the type of {target} does not fit into section {one.section}"
        raise spec.btf.error(message, place.type_id)
    return one, place


def variable_names(spec: ObjectSpec) -> list[str]:
    """The names of the variables of an object, sorted."""
    return _names(spec.btf, _by_section(spec)) if spec.btf else []


def _by_section(spec: ObjectSpec) -> dict[str, MapSpec]:
    return {one.section: one for one in spec.maps if one.section}


def _find(btf: Btf, maps: dict[str, MapSpec], target: str) -> tuple[_Variable, str]:
    """The variable that a target begins with, the longest name first, and the path behind it."""
    match = _STATIC.match(target)
    words = match[0].split(".") if match else []
    for count in range(len(words), 0, -1):
        name = ".".join(words[:count])
        found = _named(btf, maps, name)
        if len(found) > 1:
            places = ", ".join(sorted(one.section for one in found))
            raise AmbiguousError(f"{len(found)} variables are called {name}: in {places}")
        if found:
            return found[0], target[len(name) :]
    raise _missing(btf, maps, words[0] if words else target)


def _named(btf: Btf, maps: dict[str, MapSpec], name: str) -> list[_Variable]:
    ids = set(btf.find_all(name, (Kind.VAR,)))
    return [one for one in _variables(btf, maps, ids) if one.section != KCONFIG] if ids else []


def _variables(btf: Btf, maps: dict[str, MapSpec], ids: Collection[int]) -> Iterable[_Variable]:
    """Those of the variables with these ids that lie in sections with maps."""
    for section, one in maps.items():
        datasec_id = btf.find(section, Kind.DATASEC)
        datasec = btf.type(datasec_id) if datasec_id else None
        if not isinstance(datasec, Datasec):
            continue
        for info in datasec.vars:
            variable = btf.type(info.type_id)
            if info.type_id in ids and isinstance(variable, Var):
                yield _Variable(one.name, section, info.offset, variable.type_id)


def _names(btf: Btf, maps: dict[str, MapSpec]) -> list[str]:
    everything = range(1, len(btf))
    known = {btf.name(i) for i in everything if btf.kind_number(i) == Kind.VAR}
    return sorted(one for one in known if _named(btf, maps, one))


def _missing(btf: Btf, maps: dict[str, MapSpec], name: str) -> BpfctlError:
    ids = btf.find_all(name, (Kind.VAR,))
    if any(one.section == KCONFIG for one in _variables(btf, maps, ids)):
        return UsageError(
            f"{name} is no variable of the object: the kernel's configuration says it"
        )
    if ids:
        return UsageError(f"{name} is no variable whose value can be set")
    from difflib import get_close_matches

    names = _names(btf, maps)
    near = get_close_matches(name, names, _NEAREST)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return NotFoundError(
        f"no variable is called {name}",
        code="no-such-variable",
        evidence=[f"variables: {', '.join(names[:_LISTED])}{more}"] if names else [],
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )
