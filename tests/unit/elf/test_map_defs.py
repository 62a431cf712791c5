"""Map definitions made by hand: what each field may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.data_maps import map_name
from bpfctl.elf.map_defs import read_map_defs
from bpfctl.elf.spec import MapSpec
from bpfctl.errors import ObjectFileError
from bpfctl.kernel.uapi import MapType

if TYPE_CHECKING:
    from collections.abc import Callable


class Definition:
    """Builds the type of one map variable, field by field."""

    def __init__(self) -> None:
        self.btf = BtfBuilder()
        self.int = self.btf.add(t.Int(0, "int", 4, 1, 0, 32))
        self.members: list[t.Member] = []

    def member(self, name: str, type_id: int) -> Definition:
        self.members.append(t.Member(name, type_id, 64 * len(self.members)))
        return self

    def number(self, name: str, value: int) -> Definition:
        array = self.btf.add(t.Array(0, "", self.int, self.int, value))
        return self.member(name, self.btf.add(t.Ptr(0, "", array)))

    def long(self, name: str, value: int) -> Definition:
        values = (t.EnumValue("only", value),)
        return self.member(name, self.btf.add(t.Enum(0, "", 8, False, values, is64=True)))

    def pointer(self, name: str, type_id: int) -> Definition:
        return self.member(name, self.btf.add(t.Ptr(0, "", type_id)))

    def read(self) -> MapSpec:
        size = 8 * len(self.members)
        struct = self.btf.add(t.Struct(0, "", size, tuple(self.members)))
        return read(self.btf, struct, size)


def read(btf: BtfBuilder, type_id: int, size: int) -> MapSpec:
    variable = btf.add(t.Var(0, "m", type_id, 1))
    btf.add(t.Datasec(0, ".maps", size, (t.VarSecinfo(variable, 0, size),)))
    (found,) = read_map_defs(Btf.parse(btf.build()), size, "a.o")
    return found.spec


def test_all_numbers() -> None:
    made = Definition().number("type", 1).number("key_size", 4).number("value_size", 8)
    made = made.number("max_entries", 7).number("map_flags", 3).number("numa_node", 0)
    made = made.number("pinning", 1).long("map_extra", 1 << 40)
    assert made.read() == MapSpec(
        name="m",
        type=MapType.HASH,
        key_size=4,
        value_size=8,
        max_entries=7,
        flags=3,
        numa_node=0,
        map_extra=1 << 40,
        pin_by_name=True,
    )


def test_types_give_sizes() -> None:
    made = Definition().number("type", 2)
    spec = made.pointer("key", made.int).pointer("value", made.int).read()
    assert (spec.key_size, spec.value_size) == (4, 4)
    assert (spec.key_type_id, spec.value_type_id) == (made.int, made.int)


def test_a_type_of_map_newer_than_we_are() -> None:
    assert Definition().number("type", 4000).read().type == 4000


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda d: d.number("max_entries", 1), "field 'type' is missing"),
        (
            lambda d: d.number("type", 1).number("maxentries", 1),
            "there is no field 'maxentries' in a map definition",
        ),
        (
            lambda d: d.member("type", d.int),
            "field 'type' is no number: write __uint(type, n)",
        ),
        (
            lambda d: d.pointer("type", d.int),
            "field 'type' is no number: write __uint(type, n)",
        ),
        (
            lambda d: d.number("type", 1).member("key", d.int),
            "field 'key' is no type: write __type(key, t)",
        ),
        (
            lambda d: d.number("type", 1).number("key_size", 8).pointer("key", d.int),
            "its key is 4 bytes large, but key_size is 8",
        ),
        (
            lambda d: d.number("type", 1).pointer("value", 0),
            "its value has no size: void has no size",
        ),
        (
            lambda d: d.number("type", 1).number("pinning", 2),
            "pinning 2 is neither 0 (none) nor 1 (by name)",
        ),
        (
            lambda d: d.long("type", 1 << 32),
            "field 'type' is 4294967296, outside of 0 to 4294967295",
        ),
        (
            lambda d: d.number("type", 12).member("values", d.int),
            "field 'values' is no array of pointers",
        ),
    ],
)
def test_definitions_that_make_no_sense(
    make: Callable[[Definition], Definition], problem: str
) -> None:
    with pytest.raises(ObjectFileError) as caught:
        make(Definition()).read()
    assert caught.value.message == f"map m: {problem}"
    assert (caught.value.code, caught.value.path) == ("map-definition", "a.o")


def test_a_definition_that_is_no_struct() -> None:
    btf = BtfBuilder()
    number = btf.add(t.Int(0, "int", 4, 1, 0, 32))
    with pytest.raises(ObjectFileError, match="its definition is no struct"):
        read(btf, number, 4)


def test_a_variable_outside_of_the_section() -> None:
    btf = BtfBuilder()
    struct = btf.add(t.Struct(0, "", 8, ()))
    variable = btf.add(t.Var(0, "m", struct, 1))
    btf.add(t.Datasec(0, ".maps", 8, (t.VarSecinfo(variable, 4, 8),)))
    with pytest.raises(ObjectFileError, match="variable m lies outside of its section"):
        read_map_defs(Btf.parse(btf.build()), 8, "a.o")


@pytest.mark.parametrize(
    ("path", "section", "name"),
    [
        ("demo.bpf.o", ".rodata", "demo.rodata"),
        ("/a/b.c/demo.bpf.o", ".bss", "demo.bss"),
        ("a_rather_long_name.o", ".rodata", "a_rather.rodata"),
        ("a_rather_long_name.o", ".bss", "a_rather.bss"),
        ("with-dash.o", ".data", "with_das.data"),
        ("näme.o", ".data", "n_me.data"),
        ("demo.bpf.o", ".rodata.tuning", ".rodata.tuning"),
        ("", ".data", ".data"),
    ],
)
def test_names_of_data_maps(path: str, section: str, name: str) -> None:
    assert map_name(path, section) == name
