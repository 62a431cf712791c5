"""Set global variables of an object before it loads (`--set limit=10`). Pure."""

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
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import MapSpec, ObjectSpec

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
    spec: ObjectSpec, assignments: Iterable[str], shared: Collection[str] = ()
) -> ObjectSpec:
    """Return the blueprint with variables set, each by a word NAME=VALUE.

    NAME may go on into structs and arrays (cfg.port, table[2].key). `shared` are maps that exist
    already, and whose contents are not ours to set.
    Raises: UsageError for what is no assignment or a value that does not fit, NotFoundError for no
    such variable or member, AmbiguousError for a static variable that several files have.
    """
    contents: dict[str, bytearray] = {}
    wanted = list(assignments)
    if not wanted:
        return spec
    maps = {one.section: one for one in spec.maps if one.section}
    for word in wanted:
        try:
            _assign(spec, word, maps, contents, shared)
        except BpfctlError as err:
            err.within(subject=spec.path)
            err.message = f"--set {word}: {err.message}"
            raise
    filled = (
        replace(one, contents=bytes(contents[one.name])) if one.name in contents else one
        for one in spec.maps
    )
    return replace(spec, maps=tuple(filled))


def _assign(
    spec: ObjectSpec,
    word: str,
    maps: dict[str, MapSpec],
    contents: dict[str, bytearray],
    shared: Collection[str],
) -> None:
    target, equals, text = word.partition("=")
    if not equals:
        raise UsageError("expected NAME=VALUE")
    if spec.btf is None:
        raise UsageError("the object has no type information", remedy="compile it with -g")
    variable, path = _find(spec.btf, maps, target)
    if variable.map in shared:
        raise UsageError(f"its map {variable.map} exists already, and is used as it is")
    one = maps[variable.section]
    data = contents.setdefault(
        one.name, bytearray((one.contents or b"").ljust(one.value_size, b"\0"))
    )
    place = locate(spec.btf, variable.type_id, path)
    write_value(
        spec.btf, data, replace(place, offset_bits=place.offset_bits + 8 * variable.offset), text
    )


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


def _missing(btf: Btf, maps: dict[str, MapSpec], name: str) -> BpfctlError:
    everything = range(1, len(btf))
    known = {btf.name(i) for i in everything if btf.kind_number(i) == Kind.VAR}
    names = sorted(one for one in known if _named(btf, maps, one))
    if name in known:
        return UsageError(f"{name} is no variable of the object: the kernel says what it is")
    from difflib import get_close_matches

    near = get_close_matches(name, names, _NEAREST)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return NotFoundError(
        f"no variable is called {name}",
        code="no-such-variable",
        evidence=[f"variables: {', '.join(names[:_LISTED])}{more}"] if names else [],
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )
