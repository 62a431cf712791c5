"""Maps of section "maps", from compiled objects and by hand."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.legacy_maps import read_legacy_maps
from bpfctl.elf.reader import parse_object, read_elf, read_object
from bpfctl.elf.spec import MapSpec, ObjectSpec, RelocKind
from bpfctl.errors import ObjectFileError, SectionNameError
from bpfctl.kernel.uapi import MapType, ProgType
from tests.builders.elf import OBJECT, ElfBuilder

DATA = Path(__file__).parents[2] / "data"
HASH, ARRAY, ARRAY_OF_MAPS = MapType.HASH, MapType.ARRAY, MapType.ARRAY_OF_MAPS


def definition(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


def maps(*definitions: bytes, sizes: bool = True, section: str = "maps") -> list[MapSpec]:
    builder = ElfBuilder()
    builder.function("prog", "xdp")
    number, at = builder.section(section, b"".join(definitions)), 0
    for index, data in enumerate(definitions):
        builder.symbol(f"m{index}", number, at, len(data) if sizes else 0, type=OBJECT)
        at += len(data)
    return [one.spec for one in read_legacy_maps(read_elf(builder.build(), "x.o"), None)]


def test_compiled_definitions() -> None:
    of = read_object(str(DATA / "legacy_maps.bpf.o"))
    typed, untyped = of.maps
    assert (typed.name, typed.type, typed.key_size, typed.value_size) == ("typed", HASH, 4, 8)
    assert (typed.max_entries, typed.flags) == (16, 1)
    assert of.btf is not None
    assert of.btf.type_name(typed.value_type_id) == "__u64"
    assert untyped == MapSpec("untyped", ARRAY, 4, 4, 2)
    relocs = of.functions["raw_tp:use_maps"].relocs
    assert [(one.kind, one.target) for one in relocs] == [
        (RelocKind.MAP, "typed"),
        (RelocKind.MAP, "untyped"),
    ]


def test_compiled_definitions_of_tc() -> None:
    path = DATA / "tc_maps.bpf.o"
    digest = hashlib.sha1(path.read_bytes()).hexdigest()
    inner, outer, shared = read_object(str(path)).maps
    assert inner.pin_path == f"tc/{digest}/tc_inner"
    assert shared.pin_path == "tc/globals/tc_shared"
    assert outer == MapSpec(
        "tc_outer",
        ARRAY_OF_MAPS,
        4,
        4,
        2,
        inner=MapSpec("tc_outer.inner", ARRAY, 4, 4, 1),
        values=((1, "tc_inner"),),
    )


WORDS = ("type", "size_key", "size_value", "max_elem", "flags", "id", "pinning")
SHARED = MapSpec("m0", ARRAY, 4, 8, 16, pin_path="tc/globals/m0")
REFUSED = "values behind map_flags, whose meaning is unknown"


@pytest.mark.parametrize(
    ("name", "members", "expected"),
    [
        pytest.param("", WORDS, SHARED, id="by its members"),
        pytest.param("bpf_elf_map", tuple("abcdefg"), SHARED, id="by its name"),
        pytest.param("", (*WORDS[:5], "inner", "numa"), REFUSED, id="of the samples"),
    ],
)
def test_short_definitions_of_tc(
    name: str, members: tuple[str, ...], expected: MapSpec | str
) -> None:
    types = BtfBuilder()
    number = types.add(t.Int(0, "u32", 4, 0, 0, 32))
    fields = tuple(t.Member(one, number, 32 * at) for at, one in enumerate(members))
    types.add(t.Var(0, "m0", types.add(t.Struct(0, name, 28, fields)), 1))
    builder = ElfBuilder()
    section = builder.section("maps", definition(ARRAY, 4, 8, 16, 0, 0, 2))
    builder.symbol("m0", section, 0, 28, type=OBJECT)
    elf, btf = read_elf(builder.build(), "x.o"), Btf.parse(types.build())
    if isinstance(expected, str):
        with pytest.raises(ObjectFileError, match=expected):
            read_legacy_maps(elf, btf)
    else:
        assert [one.spec for one in read_legacy_maps(elf, btf)] == [expected]


@pytest.mark.parametrize(
    ("data", "spec"),
    [
        pytest.param(definition(1, 4, 8, 16), MapSpec("m0", HASH, 4, 8, 16), id="no flags"),
        pytest.param(
            definition(1, 4, 8, 16, 1), MapSpec("m0", HASH, 4, 8, 16, flags=1), id="libbpf"
        ),
        pytest.param(
            definition(1, 4, 8, 16, 1, 0, 0), MapSpec("m0", HASH, 4, 8, 16, flags=1), id="samples"
        ),
        pytest.param(
            definition(1, 4, 8, 16, 1, 3, 2, 0, 0),
            MapSpec("m0", HASH, 4, 8, 16, flags=1, pin_path="tc/globals/m0"),
            id="tc",
        ),
        pytest.param(definition(4000, 4, 8, 16), MapSpec("m0", 4000, 4, 8, 16), id="newer type"),
    ],
)
@pytest.mark.parametrize("sizes", [True, False], ids=["sized", "assembler"])
def test_definitions_by_their_sizes(data: bytes, spec: MapSpec, sizes: bool) -> None:
    assert maps(data, sizes=sizes) == [spec]


def test_several_maps_and_a_section_for_each() -> None:
    assert [one.name for one in maps(definition(1, 4, 8, 1), definition(2, 4, 8, 1))] == [
        "m0",
        "m1",
    ]
    assert [one.name for one in maps(definition(1, 4, 8, 1), section="maps/one")] == ["m0"]


def test_an_inner_map_may_be_a_template_alone() -> None:
    inner = definition(2, 4, 8, 1, 0, 9, 0, 0, 0xFFFFFFFF)
    outer = definition(12, 4, 4, 1, 0, 0, 0, 9, 0)
    assert maps(outer, inner)[0].inner == MapSpec("m0.inner", ARRAY, 4, 8, 1)
    assert maps(outer, inner)[0].values == ()


@pytest.mark.parametrize(
    ("data", "message", "offset"),
    [
        pytest.param(definition(1, 4, 8), "m0 of 12 bytes, which is no definition", 0, id="short"),
        pytest.param(
            definition(1, 4, 8, 16, 1, 5, 0), "m0 with values behind map_flags", 20, id="more words"
        ),
        pytest.param(definition(1, 4, 8, 16, 1, 0, 9, 0, 0), "m0 with pinning 9", 24, id="pinning"),
    ],
)
def test_definitions_that_make_no_sense(data: bytes, message: str, offset: int) -> None:
    with pytest.raises(ObjectFileError, match=message) as raised:
        maps(data)
    assert (raised.value.section, raised.value.offset) == ("maps", offset)


def test_definitions_without_a_name() -> None:
    builder = ElfBuilder()
    builder.function("prog", "xdp")
    builder.section("maps", definition(1, 4, 8, 16))
    with pytest.raises(ObjectFileError, match="no symbol that names one"):
        parse_object(builder.build(), "x.o")


def test_a_variable_that_leaves_its_section() -> None:
    builder = ElfBuilder()
    builder.function("prog", "xdp")
    number = builder.section("maps", definition(1, 4, 8, 16))
    builder.symbol("m0", number, 0, 4000, type=OBJECT)
    with pytest.raises(ObjectFileError, match="which is no definition"):
        parse_object(builder.build(), "x.o")


def tail_calls(section: str, kind: MapType = MapType.PROG_ARRAY, tc_id: int = 7) -> ObjectSpec:
    """An object with one array that tc knows by its id, and a program in a section."""
    builder = ElfBuilder()
    builder.function("prog", section)
    number = builder.section("maps", definition(kind, 4, 4, 8, 0, tc_id, 0, 0, 0))
    builder.symbol("jumps", number, 0, 36, type=OBJECT)
    return parse_object(builder.build())


@pytest.mark.parametrize(
    ("section", "index"),
    [("7/0", 0), ("0x7/0x5", 5), ("7/9", 9)],
)
def test_sections_that_are_slots_of_an_array(section: str, index: int) -> None:
    found = tail_calls(section)
    assert found.maps[0].values == ((index, "prog"),)
    (program,) = found.programs
    assert (program.section.prog_type, program.section.text) == (ProgType.SCHED_CLS, section)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("section", "kind", "tc_id"),
    [
        pytest.param("8/0", MapType.PROG_ARRAY, 7, id="another id"),
        pytest.param("7/0", MapType.ARRAY, 7, id="no program array"),
        pytest.param("0/0", MapType.PROG_ARRAY, 0, id="no id"),
        pytest.param("7/", MapType.PROG_ARRAY, 7, id="no slot"),
        pytest.param("7/1/2", MapType.PROG_ARRAY, 7, id="too much"),
    ],
)
def test_sections_that_are_no_slots(section: str, kind: MapType, tc_id: int) -> None:
    with pytest.raises(SectionNameError):
        tail_calls(section, kind, tc_id)
