"""Externs in blueprints, and their types as the kernel wants them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.elf_file import ElfFile, Section, Symbol
from bpfctl.elf.extern_btf import fixup_externs
from bpfctl.elf.externs import find_externs
from bpfctl.elf.reader import read_object
from bpfctl.elf.spec import ExternSpec, MapSpec
from bpfctl.errors import ObjectFileError
from bpfctl.kernel.uapi import MapType

DATA = Path(__file__).parents[2] / "data"
NO_SECTION = Section(0, "", 0, 0, 0, 0, 0, memoryview(b""))
INT, CHAR, TEXT, VOID, LONG = 1, 2, 3, 0, 4
EXTERN = t.VarLinkage.GLOBAL_EXTERN


def types(*more: t.Type) -> Btf:
    """An int (1), a char (2), char[3] (3), a long (4), and more."""
    builder = BtfBuilder()
    builder.add(t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32))
    builder.add(t.Int(2, "char", 1, t.IntEncoding.SIGNED, 0, 8))
    builder.add(t.Array(3, "", 2, 1, 3))
    builder.add(t.Int(4, "long", 8, 0, 0, 64))
    for one in more:
        builder.add(one)
    return Btf.parse(builder.build())


def elf(*names: str, weak: tuple[str, ...] = ()) -> ElfFile:
    symbols = [Symbol(one, 0, 0, 0, 0, 2 if one in weak else 1, 0) for one in ("", *names)]
    return ElfFile("x.o", (NO_SECTION,), tuple(symbols))


def section(name: str, *ids: int) -> t.Datasec:
    return t.Datasec(0, name, 0, tuple(t.VarSecinfo(one, 0, 0) for one in ids))


def test_values_of_the_configuration_are_placed_as_libbpf_does() -> None:
    btf = types(
        t.Var(5, "CONFIG_B", INT, EXTERN),
        t.Var(6, "CONFIG_TEXT", TEXT, EXTERN),
        t.Var(7, "CONFIG_LONG", LONG, EXTERN),
        t.Var(8, "CONFIG_A", INT, EXTERN),
        t.Var(9, "CONFIG_CHAR", CHAR, EXTERN),
        section(".kconfig", 5, 6, 7, 8, 9),
    )
    names = ("CONFIG_B", "CONFIG_TEXT", "CONFIG_LONG", "CONFIG_A", "CONFIG_CHAR")
    externs = find_externs(elf(*names, weak=("CONFIG_A",)), btf)
    assert externs == (
        ExternSpec("CONFIG_LONG", "kconfig", False, LONG, 0),
        ExternSpec("CONFIG_A", "kconfig", True, INT, 8),
        ExternSpec("CONFIG_B", "kconfig", False, INT, 12),
        ExternSpec("CONFIG_CHAR", "kconfig", False, CHAR, 16),
        ExternSpec("CONFIG_TEXT", "kconfig", False, TEXT, 17),
    )
    fixed = Btf.parse(fixup_externs(btf, externs))
    assert fixed.type(10) == t.Datasec(
        10,
        ".kconfig",
        20,
        tuple(
            t.VarSecinfo(*place)
            for place in [(7, 0, 8), (8, 8, 4), (5, 12, 4), (9, 16, 1), (6, 17, 3)]
        ),
    )
    assert fixed.type(6) == t.Var(6, "CONFIG_TEXT", TEXT, t.VarLinkage.GLOBAL_ALLOCATED)


def test_symbols_become_integers_and_functions_get_a_stand_in() -> None:
    btf = types(
        t.Var(5, "variable", LONG, EXTERN),
        t.FuncProto(6, "", INT, (t.Param("", INT), t.Param("kept", INT))),
        t.Func(7, "function", 6, t.FuncLinkage.EXTERN),
        section(".ksyms", 5, 7),
    )
    externs = find_externs(elf("variable", "function", "stray"), btf)
    assert externs == (
        ExternSpec("function", "kfunc", False, 7),
        ExternSpec("stray", "unknown", False, 0),
        ExternSpec("variable", "ksym", False, LONG),
    )
    fixed = Btf.parse(fixup_externs(btf, externs))
    allocated = t.VarLinkage.GLOBAL_ALLOCATED
    assert [fixed.type(number) for number in (5, 6, 7, 8, 9)] == [
        t.Var(5, "variable", INT, allocated),
        t.FuncProto(6, "", INT, (t.Param("dummy_ksym", INT), t.Param("kept", INT))),
        t.Func(7, "function", 6, t.FuncLinkage.GLOBAL),
        t.Datasec(8, ".ksyms", 8, (t.VarSecinfo(5, 0, 4), t.VarSecinfo(9, 4, 4))),
        t.Var(9, "dummy_ksym", INT, allocated),
    ]


def test_an_object_without_integers_gets_one() -> None:
    builder = BtfBuilder()
    builder.add(t.Var(1, "symbol", 0, EXTERN))
    builder.add(section(".ksyms", 1))
    fixed = Btf.parse(fixup_externs(Btf.parse(builder.build()), ()))
    assert fixed.type(1) == t.Var(1, "symbol", 3, t.VarLinkage.GLOBAL_ALLOCATED)
    assert fixed.type(3) == t.Int(3, "dummy_ksym", 4, 0, 0, 32)


def test_types_without_externs_stay() -> None:
    btf = types(section(".data"))
    assert fixup_externs(btf, ()) == btf.data


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        pytest.param(t.Struct(5, "s", 8, ()), "struct s is no value", id="a struct"),
        pytest.param(t.Fwd(5, "s"), "struct s is no value", id="without a size"),
        pytest.param(t.Array(5, "", LONG, INT, 1 << 20), "8388608 bytes large", id="too large"),
    ],
)
def test_values_that_cannot_be_placed(kind: t.Type, match: str) -> None:
    btf = types(kind, t.Var(6, "CONFIG_X", 5, EXTERN), section(".kconfig", 6))
    with pytest.raises(ObjectFileError, match=match) as raised:
        find_externs(elf("CONFIG_X"), btf)
    assert raised.value.section == ".kconfig"


def test_the_map_of_the_configuration() -> None:
    (made,) = (
        one for one in read_object(str(DATA / "kconfig.bpf.o")).maps if one.section == ".kconfig"
    )
    assert made == MapSpec(
        name="kconfig.kconfig",
        type=MapType.ARRAY,
        key_size=4,
        value_size=38,
        max_entries=1,
        flags=0x480,
        value_type_id=made.value_type_id,
        section=".kconfig",
        read_only=True,
    )
