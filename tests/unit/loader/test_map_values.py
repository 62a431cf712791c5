from __future__ import annotations

import errno
import os
import struct
from typing import Any

import pytest

from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import MapSpec, ObjectSpec, ProgramSpec, Reloc, RelocKind
from bpfctl.errors import ObjectFileError, SyscallError
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import Cmd, MapType
from bpfctl.loader.loaded import LoadedMap, LoadedObject, LoadedProgram
from bpfctl.loader.map_values import check_values, store_maps, store_programs, with_array_members
from bpfctl.loader.verifier import Log
from tests.fakes.kernel import FakeKernel, memory
from tests.unit.loader.objects import EXIT, LD_IMM64, call, function, object_of

INNER = MapSpec("inner", MapType.ARRAY, 4, 8, 1)


def outer(kind: MapType, *values: tuple[int, str]) -> MapSpec:
    return MapSpec("outer", kind, 4, 4, 2, values=values)


def three_programs(*maps: MapSpec) -> ObjectSpec:
    """`main` uses map outer in a function it calls, `one` uses map more, `two` none."""
    use = Reloc(0, RelocKind.MAP, "outer")
    functions = (
        function(".text:helper", LD_IMM64 + EXIT, use),
        function("xdp:main", EXIT, call(0, ".text:helper")),
        function("xdp:one", LD_IMM64 + EXIT, Reloc(0, RelocKind.MAP, "more")),
        function("xdp:two", EXIT),
    )
    programs = tuple(
        ProgramSpec(one.name, parse_section_name("xdp"), one.key) for one in functions[1:]
    )
    return object_of(*functions, programs=programs, maps=maps)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (outer(MapType.PROG_ARRAY, (0, "inner")), "its value 0, inner, is no program"),
        (outer(MapType.ARRAY_OF_MAPS, (1, "main")), "its value 1, main, is no map"),
        (outer(MapType.ARRAY_OF_MAPS, (2, "inner")), "which has 2 entries"),
        (outer(MapType.ARRAY, (0, "inner")), "only maps of maps and program arrays"),
    ],
)
def test_values_that_cannot_be(spec: MapSpec, problem: str) -> None:
    with pytest.raises(ObjectFileError, match=problem) as raised:
        check_values(three_programs(INNER, spec))
    assert raised.value.code == "map-values"


@pytest.mark.parametrize(
    "spec",
    [
        outer(MapType.PROG_ARRAY, (1, "main")),
        outer(MapType.ARRAY_OF_MAPS, (1, "inner")),
        outer(MapType.HASH_OF_MAPS, (77, "inner")),
    ],
    ids=["programs", "maps", "any key of a hash"],
)
def test_values_that_can_be(spec: MapSpec) -> None:
    check_values(three_programs(INNER, spec))


@pytest.mark.parametrize(
    ("chosen", "left_out", "names"),
    [
        pytest.param([0], [], ["main", "one", "two"], id="through two arrays"),
        pytest.param([0], ["one"], ["main"], id="one left out"),
        pytest.param([1], [], ["one", "two"], id="the second array alone"),
        pytest.param([2], [], ["two"], id="no array"),
        pytest.param([], [], [], id="nothing chosen"),
    ],
)
def test_programs_of_arrays_come_along(
    chosen: list[int], left_out: list[str], names: list[str]
) -> None:
    more = MapSpec("more", MapType.PROG_ARRAY, 4, 4, 2, values=((1, "two"), (0, "one")))
    spec = three_programs(outer(MapType.PROG_ARRAY, (0, "one")), more)
    found = with_array_members(spec, [spec.programs[at] for at in chosen], left_out)
    assert [one.name for one in found] == names


def loaded(spec: ObjectSpec, *, reused: bool = False) -> LoadedObject:
    def fd() -> Fd:
        return Fd(os.open(os.devnull, os.O_RDONLY))

    made = LoadedObject(spec)
    for one in spec.maps:
        made.maps[one.name] = LoadedMap(one, made.resources.enter_context(fd()), reused=reused)
    for program in spec.programs[:2]:
        entry = LoadedProgram(program, made.resources.enter_context(fd()), Log())
        made.programs[program.name] = entry
    return made


class Stored:
    """What is stored in maps: descriptor of the map, key, value."""

    def __init__(self) -> None:
        self.all: list[tuple[int, int, int]] = []

    def __call__(self, union: Any, size: int) -> int:
        del size
        key, value = (
            struct.unpack("<I", memory(int(place), 4)[:])[0] for place in (union.key, union.value)
        )
        self.all.append((union.map_fd, key, value))
        return 0


@pytest.mark.parametrize("reused", [False, True])
def test_maps_are_stored_in_new_maps(reused: bool) -> None:
    spec = three_programs(INNER, outer(MapType.HASH_OF_MAPS, (1, "inner"), (7, "inner")))
    stored = Stored()
    with FakeKernel().on(Cmd.MAP_UPDATE_ELEM, stored), loaded(spec, reused=reused) as made:
        store_maps(made)
        store_programs(made)
        to, inner = (made.maps[name].fd.fileno() for name in ("outer", "inner"))
    assert stored.all == ([] if reused else [(to, 1, inner), (to, 7, inner)])


@pytest.mark.parametrize("reused", [False, True])
def test_programs_are_stored_where_they_are_loaded(reused: bool) -> None:
    values = ((0, "one"), (1, "two"))
    spec = three_programs(outer(MapType.PROG_ARRAY, *values))
    stored = Stored()
    with FakeKernel().on(Cmd.MAP_UPDATE_ELEM, stored), loaded(spec, reused=reused) as made:
        store_maps(made)
        store_programs(made)
        expected = (made.maps["outer"].fd.fileno(), 0, made.programs["one"].fd.fileno())
    assert stored.all == [expected]


def test_a_refusal_names_map_and_value() -> None:
    spec = three_programs(outer(MapType.PROG_ARRAY, (0, "one")))
    refusing = FakeKernel().on(Cmd.MAP_UPDATE_ELEM, -errno.EINVAL)
    with refusing, loaded(spec) as made, pytest.raises(SyscallError) as raised:
        store_programs(made)
    assert raised.value.doing == "store one at 0 of map outer"
