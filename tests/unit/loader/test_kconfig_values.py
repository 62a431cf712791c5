from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.spec import ExternSpec
from bpfctl.linux.kconfig import parse_config
from bpfctl.loader.extern_result import Externs, Missing, Value
from bpfctl.loader.kconfig_values import kconfig_value

CONFIG = parse_config(
    "CONFIG_YES=y\nCONFIG_NO=n\nCONFIG_MODULE=m\nCONFIG_TEN=10\nCONFIG_HEX=0xffffffff80000000\n"
    'CONFIG_MINUS=-1\nCONFIG_TEXT="hello"\nCONFIG_QUOTED="y"\nCONFIG_LARGE=300\nCONFIG_ODD=what\n',
    "config",
)
TYPES = {
    "bool": t.Int(1, "_Bool", 1, t.IntEncoding.BOOL, 0, 8),
    "char": t.Int(2, "char", 1, t.IntEncoding.SIGNED, 0, 8),
    "short": t.Int(3, "short", 2, t.IntEncoding.SIGNED, 0, 16),
    "int": t.Int(4, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    "u64": t.Int(5, "u64", 8, 0, 0, 64),
    "text": t.Array(6, "", 2, 4, 4),
    "tristate": t.Enum(7, "libbpf_tristate", 4, False, ()),
    "other enum": t.Enum(8, "other", 4, False, ()),
    "text of text": t.Array(9, "", 6, 4, 4),
    "const int": t.Const(10, "", 4),
    "int128": t.Int(11, "__int128", 16, 0, 0, 128),
}


def types() -> Btf:
    builder = BtfBuilder()
    for one in TYPES.values():
        builder.add(one)
    return Btf.parse(builder.build())


BTF = types()


def value(name: str, kind: str, *, weak: bool = False) -> Value | Missing:
    extern = ExternSpec(name, "kconfig", weak, TYPES[kind].id)
    virtual = {"LINUX_KERNEL_VERSION": lambda: 0x61200, "LINUX_HAS_X": lambda: 1}
    return kconfig_value(BTF, extern, lambda: CONFIG, virtual)


@pytest.mark.parametrize(
    ("name", "kind", "stored"),
    [
        pytest.param("CONFIG_YES", "bool", b"\1", id="y as bool"),
        pytest.param("CONFIG_NO", "bool", b"\0", id="n as bool"),
        pytest.param("CONFIG_MODULE", "tristate", b"\2\0\0\0", id="m as tristate"),
        pytest.param("CONFIG_YES", "tristate", b"\1\0\0\0", id="y as tristate"),
        pytest.param("CONFIG_MODULE", "char", b"m", id="m as char"),
        pytest.param("CONFIG_TEN", "char", b"\x0a", id="a number as char"),
        pytest.param("CONFIG_TEN", "short", b"\x0a\0", id="short"),
        pytest.param("CONFIG_TEN", "const int", b"\x0a\0\0\0", id="const int"),
        pytest.param("CONFIG_MINUS", "int", b"\xff" * 4, id="negative"),
        pytest.param("CONFIG_MINUS", "u64", b"\xff" * 8, id="negative in 64 bits"),
        pytest.param("CONFIG_HEX", "u64", b"\0\0\0\x80\xff\xff\xff\xff", id="hexadecimal"),
        pytest.param("CONFIG_TEXT", "text", b"hel\0", id="text is cut"),
        pytest.param("CONFIG_QUOTED", "text", b"y\0\0\0", id="a string that looks like y"),
        pytest.param("LINUX_KERNEL_VERSION", "int", b"\0\x12\x06\0", id="computed"),
        pytest.param("LINUX_HAS_X", "bool", b"\1", id="computed bool"),
    ],
)
def test_a_value_is_stored_as_declared(name: str, kind: str, stored: bytes) -> None:
    found = value(name, kind)
    assert isinstance(found, Value)
    assert found.data == stored


def test_a_text_that_is_cut_is_told_of() -> None:
    """Two texts with the same beginning would look alike to the program."""
    extern = ExternSpec("CONFIG_TEXT", "kconfig", is_weak=False, type_id=TYPES["text"].id)
    found = {"CONFIG_TEXT": value("CONFIG_TEXT", "text"), "CONFIG_TEN": value("CONFIG_TEN", "int")}
    warnings = Externs((extern, ExternSpec("CONFIG_TEN", "kconfig")), found).warnings
    assert warnings == ["CONFIG_TEXT has 5 bytes, and only 3 are kept"]


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("CONFIG_MODULE", "bool", "it is m, and the object declares bool"),
        ("CONFIG_YES", "int", "it is y, and the object declares integer"),
        ("CONFIG_QUOTED", "bool", "it is the string 'y', and the object declares bool"),
        ("CONFIG_TEN", "text", "it is the number 10, and the object declares array of char"),
        ("CONFIG_LARGE", "char", "300 does not fit into 1 bytes"),
        ("CONFIG_HEX", "int", "18446744071562067968 does not fit into 4 bytes"),
        ("CONFIG_ODD", "int", "what is no number"),
        ("LINUX_KERNEL_VERSION", "bool", "it is the number 397824, and the object declares bool"),
        ("CONFIG_YES", "other enum", "enum other is no type for values of a configuration"),
        ("CONFIG_YES", "text of text", "char [4][4] is no type for values of a configuration"),
        ("CONFIG_YES", "int128", "__int128 is no type for values of a configuration"),
        ("HZ", "int", "begins neither with CONFIG_ nor is it a value that bpfctl computes"),
    ],
)
def test_a_contradiction_stops_weak_ones_too(name: str, kind: str, reason: str) -> None:
    found = value(name, kind, weak=True)
    assert isinstance(found, Missing)
    assert (found.reason, found.fatal) == (reason, True)


def test_what_is_not_set_names_the_file_and_similar_options() -> None:
    assert value("CONFIG_MODULES", "bool") == Missing(
        "is not set in config", option="CONFIG_MODULES", nearest=("CONFIG_MODULE",)
    )


def test_a_value_to_compute_that_we_do_not_know_is_absent() -> None:
    found = value("LINUX_HAS_Y", "int")
    assert isinstance(found, Missing)
    assert (found.nearest, found.fatal) == (("LINUX_HAS_X",), False)


def test_without_a_configuration() -> None:
    extern = ExternSpec("CONFIG_YES", "kconfig", True, 1)
    assert kconfig_value(BTF, extern, lambda: None, {}) == Missing(
        "no file tells the kernel's configuration", remedy="--kernel-config FILE"
    )
