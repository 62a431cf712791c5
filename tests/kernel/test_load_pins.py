"""Pins of a load on a real bpffs: made together, gone together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.errors import OutputError, PathError, VerifierError
from bpfctl.kernel.info import map_info
from bpfctl.loader import map_pins
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load

if TYPE_CHECKING:
    from pathlib import Path

    from bpfctl.elf.spec import MapSpec, ObjectSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.loaded import LoadedObject

READ_R3 = bytes([0xBF, 0x30, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])


def below(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


def test_programs_and_maps_are_pinned_by_name(data: Path, bpffs: Path) -> None:
    with load(read_object(str(data / "core.bpf.o"))) as loaded:
        programs = loaded.pin_programs(str(bpffs / "progs"))
        maps = loaded.pin_maps(f"{bpffs}/maps/")
    assert programs == {"use_core": f"{bpffs}/progs/use_core"}
    assert maps == {
        "core.bss": f"{bpffs}/maps/core_bss",
        "core.rodata": f"{bpffs}/maps/core_rodata",
    }
    assert below(bpffs) == [
        "maps",
        "maps/core_bss",
        "maps/core_rodata",
        "progs",
        "progs/use_core",
    ]


def test_a_name_that_is_taken_undoes_all(data: Path, bpffs: Path) -> None:
    spec = read_object(str(data / "sections.bpf.o"))
    names = [one.name for one in spec.programs if one.section.autoload]
    assert len(names) > 1
    with load(spec) as loaded:
        loaded.pin_program(names[-1], str(bpffs / names[-1]))

    def pin_all(loaded: LoadedObject) -> None:
        loaded.pin_maps(str(bpffs / "maps"))
        loaded.pin_programs(str(bpffs))

    with pytest.raises(PathError, match="exists already"), load(spec) as loaded:
        pin_all(loaded)
    assert below(bpffs) == [names[-1]], "what was there before stays, all else is gone"


def test_an_interruption_undoes_all(data: Path, bpffs: Path) -> None:
    def interrupted(loaded: LoadedObject) -> None:
        loaded.pin_programs(str(bpffs / "new"))
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        load(read_object(str(data / "xdp_pass.bpf.o"))) as loaded,
    ):
        interrupted(loaded)
    assert below(bpffs) == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param("bpffs/no/where", "there is no directory", id="no parent"),
        pytest.param("bpffs/do.ts", "no name with a dot", id="dots"),
        pytest.param("tmp/x", "on no bpf file system", id="elsewhere"),
        pytest.param("tmp", "on no bpf file system", id="a directory elsewhere"),
        pytest.param("tmp/file", "on no bpf file system", id="a file"),
    ],
)
def test_places_where_nothing_can_be_pinned(
    place: str, words: str, data: Path, bpffs: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    root, _, rest = place.partition("/")
    path = (bpffs if root == "bpffs" else tmp_path) / rest
    with (
        pytest.raises(PathError, match=words) as raised,
        load(read_object(str(data / "xdp_pass.bpf.o"))) as loaded,
    ):
        loaded.pin_programs(str(path))
    assert raised.value.remedy
    assert (below(bpffs), below(tmp_path)) == ([], ["file"])


def shared(data: Path) -> ObjectSpec:
    """An object whose map `shared` is pinned by name."""
    spec = read_object(str(data / "pinned_map.bpf.o"))
    assert [one.name for one in spec.maps if one.pin_by_name] == ["shared"]
    return spec


def test_a_map_pinned_by_name_is_shared(data: Path, bpffs: Path) -> None:
    options = LoadOptions(bpffs=str(bpffs))
    with load(shared(data), options) as first, load(shared(data), options) as second:
        ids = [map_info(one.maps["shared"].fd).number("id") for one in (first, second)]
        reused = [one.maps["shared"].reused for one in (first, second)]
    assert (ids[0] == ids[1], reused) == (True, [False, True])
    assert below(bpffs) == ["shared"], "the pin outlives the load"


def test_a_map_that_another_load_pins_meanwhile_is_shared(
    data: Path, bpffs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two loads begin together: both look for the pin, none is there, and one comes second."""
    options, look, looks = LoadOptions(bpffs=str(bpffs)), map_pins.open_pinned_map, []

    def look_too_early(spec: MapSpec, path: str) -> Fd | None:
        looks.append(path)
        return None if len(looks) == 1 else look(spec, path)

    with load(shared(data), options) as first:
        monkeypatch.setattr(map_pins, "open_pinned_map", look_too_early)
        with load(shared(data), options) as second:
            ids = [map_info(one.maps["shared"].fd).number("id") for one in (first, second)]
    assert (ids[0] == ids[1], len(looks)) == (True, 2)
    assert below(bpffs) == ["shared"]


@pytest.mark.explains("pinned-map-mismatch")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_entries": 7}, "max_entries: {there} is pinned, the object wants 7"),
        ({"value_size": 16, "value_type_id": 0, "key_type_id": 0}, "value_size: {there} is pinned"),
    ],
)
def test_another_map_of_that_name_is_an_error(
    change: dict[str, Any], message: str, data: Path, bpffs: Path
) -> None:
    options = LoadOptions(bpffs=str(bpffs))
    spec = shared(data)
    there = next(one for one in spec.maps if one.name == "shared")
    load(spec, options).close()
    other = replace(
        spec, maps=tuple(replace(one, **change) if one is there else one for one in spec.maps)
    )
    with pytest.raises(OutputError) as raised:
        load(other, options)
    assert message.format(there=getattr(there, next(iter(change)))) in raised.value.message
    assert raised.value.code == "pinned-map-mismatch"
    assert below(bpffs) == ["shared"]


def test_a_program_under_the_maps_name_is_an_error(data: Path, bpffs: Path) -> None:
    with load(read_object(str(data / "xdp_pass.bpf.o"))) as loaded:
        loaded.pin_program(next(iter(loaded.programs)), str(bpffs / "shared"))
    with pytest.raises(OutputError, match="not a map"):
        load(shared(data), LoadOptions(bpffs=str(bpffs)))


def test_a_rejected_program_leaves_no_pinned_map(data: Path, bpffs: Path) -> None:
    spec = shared(data)
    key = spec.programs[0].function
    broken = replace(
        spec.functions[key], code=READ_R3, relocs=(), func_info=(), line_info=(), core_relos=()
    )
    with pytest.raises(VerifierError):
        load(replace(spec, functions=spec.functions | {key: broken}), LoadOptions(bpffs=str(bpffs)))
    assert below(bpffs) == []
