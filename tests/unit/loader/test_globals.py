"""Variables set before a load: `tests/bpf/settings.bpf.c`, read back by its types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf.types import Datasec, Kind, Var
from bpfctl.btf.values import compile_reader
from bpfctl.elf.reader import read_object
from bpfctl.errors import AmbiguousError, BpfctlError, BtfError, NotFoundError, UsageError
from bpfctl.loader.globals import with_globals
from tests.unit.loader.objects import object_of

if TYPE_CHECKING:
    from bpfctl.elf.spec import ObjectSpec

DATA = Path(__file__).parents[2] / "data"
SETTINGS = read_object(str(DATA / "settings.bpf.o"))
SAMPLE = {
    "verbose": 1,
    "low": 0,
    "high": 0,
    "inside": 0,
    "peers": [{"port": 0, "host": ""}, {"port": 0, "host": ""}],
    "level": "QUIET",
}


def values(spec: ObjectSpec) -> dict[str, Any]:
    """All variables by name, as their sections' contents say."""
    found: dict[str, Any] = {}
    assert spec.btf is not None
    for one in spec.maps:
        datasec = spec.btf.type(spec.btf.find(one.section or "", Kind.DATASEC) or 0)
        assert isinstance(datasec, Datasec)
        data = (one.contents or b"").ljust(one.value_size, b"\0")
        for info in datasec.vars:
            variable = spec.btf.type(info.type_id)
            assert isinstance(variable, Var)
            found[variable.name] = compile_reader(spec.btf, variable.type_id)(data, info.offset)
    return found


def peers(index: int, **more: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [{"port": 0, "host": ""}, {"port": 0, "host": ""}]
    found[index] |= more
    return found


@pytest.mark.parametrize(
    ("word", "name", "value"),
    [
        ("wide=18446744073709551615", "wide", 2**64 - 1),
        ("wide=0x10", "wide", 16),
        ("hidden=-2147483648", "hidden", -(2**31)),
        ("enabled=true", "enabled", True),
        ("enabled=1", "enabled", True),
        ("ratio=2.5", "ratio", 2.5),
        ("name=abc", "name", "abc"),
        ("name=", "name", ""),
        ("name=1234567", "name", "1234567"),
        ("limits[1]=7", "limits", [0, 7, 0]),
        ("limits=1, -2,0x3", "limits", [1, -2, 3]),
        ("cfg.verbose=-3", "cfg", SAMPLE | {"verbose": -3}),
        ("cfg.low=7", "cfg", SAMPLE | {"low": 7}),
        ("cfg.high=31", "cfg", SAMPLE | {"high": 31}),
        ("cfg.inside='a'", "cfg", SAMPLE | {"inside": 97}),
        ("cfg.level=LOUD", "cfg", SAMPLE | {"level": "LOUD"}),
        ("cfg.level=5", "cfg", SAMPLE | {"level": "LOUD"}),
        ("cfg.peers[1].port=80", "cfg", SAMPLE | {"peers": peers(1, port=80)}),
        ("cfg.peers[0].host=a=b", "cfg", SAMPLE | {"peers": peers(0, host="a=b")}),
    ],
)
def test_one_variable_changes(word: str, name: str, value: object) -> None:
    before, after = values(SETTINGS), values(with_globals(SETTINGS, [word]))
    assert after[name] == value
    assert {**after, name: None} == {**before, name: None}


def test_several_in_their_order() -> None:
    found = values(with_globals(SETTINGS, ["cfg.low=1", "cfg.high=2", "cfg.low=3", "sum=4"]))
    assert (found["cfg"]["low"], found["cfg"]["high"], found["sum"]) == (3, 2, 4)


def test_values_of_python() -> None:
    pairs = [("cfg", {"low": 1, "peers": [{"port": 7}]}), ("name", b"1234567\0"), ("limits[1]", 5)]
    found = values(with_globals(SETTINGS, pairs))
    assert found["cfg"] == SAMPLE | {"low": 1, "peers": peers(0, port=7)}
    assert (found["name"], found["limits"]) == ("1234567", [0, 5, 0])
    with pytest.raises(UsageError, match=r"name: .* has 8 bytes, not 2"):
        with_globals(SETTINGS, [("name", b"ab")])


@pytest.mark.parametrize("wish", ["limits[2]=1", ("limits", [1, 2, 3])], ids=["words", "value"])
def test_a_type_that_is_larger_than_its_section(wish: Any) -> None:
    """As types say that somebody has changed: nothing behind the section is written."""
    short = [
        replace(one, value_size=4, contents=(one.contents or b"")[:4]) for one in SETTINGS.maps
    ]
    with pytest.raises(BtfError, match=r"the type of .* does not fit into section \.rodata"):
        with_globals(replace(SETTINGS, maps=tuple(short)), [wish])


def test_nothing_to_set() -> None:
    assert with_globals(SETTINGS, []) is SETTINGS


@pytest.mark.parametrize(
    ("word", "kind", "message"),
    [
        ("wide", UsageError, "expected NAME=VALUE"),
        ("wide=-1", UsageError, "-1 does not fit: volatile __u64 holds 0 to 18446744073709551615"),
        ("hidden=2147483648", UsageError, "__s32 holds -2147483648 to 2147483647"),
        ("cfg.low=8", UsageError, "8 does not fit: __u32 of 3 bits holds 0 to 7"),
        ("enabled=2", UsageError, "2 does not fit: .*_Bool holds 0 to 1"),
        ("enabled=maybe", UsageError, '"maybe" is no true or false'),
        ("wide=much", UsageError, '"much" is no whole number'),
        ("ratio=much", UsageError, '"much" is no number'),
        ("name=12345678", UsageError, "the text has 8 bytes, there is room for 7 and a 0"),
        ("limits=1,2", UsageError, "2 values for an array of 3"),
        ("limits[3]=1", UsageError, r"\[3\] is behind the end of an array of 3"),
        ("limits.x=1", NotFoundError, r"int \[3\] has no member x"),
        ("wide[0]=1", UsageError, "__u64 is no array"),
        ("limits[x]=1", UsageError, r'"\[x\]" is neither .member nor \[index\]'),
        ("cfg=1", UsageError, r"struct config is set a member at a time: \.verbose"),
        ("cfg.peers=1", UsageError, r"struct address \[2\] is set an element at a time: \[0\]"),
        ("cfg.level=LOUT", UsageError, '"LOUT" is no number and no value .*: LOUD'),
        ("cfg.verbos=1", NotFoundError, "struct config has no member verbos"),
        ("enable=1", NotFoundError, "no variable is called enable"),
        ("=1", UsageError, "expected NAME=VALUE"),
        (".x=1", NotFoundError, r"no variable is called \.x$"),
    ],
)
def test_what_cannot_be_set(word: str, kind: type[BpfctlError], message: str) -> None:
    with pytest.raises(kind, match=message) as raised:
        with_globals(SETTINGS, [word])
    assert raised.value.message.startswith(f"--set {word}: ")
    assert str(raised.value).startswith(SETTINGS.path)


@pytest.mark.parametrize(
    ("word", "remedy"),
    [("enable=1", "did you mean enabled or name?"), ("cfg.verbos=1", "did you mean verbose?")],
)
def test_similar_names(word: str, remedy: str) -> None:
    with pytest.raises(NotFoundError) as raised:
        with_globals(SETTINGS, [word])
    assert raised.value.remedy == remedy


def test_values_of_the_configuration_are_the_kernels() -> None:
    spec = read_object(str(DATA / "kconfig.bpf.o"))
    with pytest.raises(UsageError, match="is no variable of the object"):
        with_globals(spec, ["CONFIG_HZ=1"])


def test_a_map_that_is_shared_keeps_its_contents() -> None:
    with pytest.raises(UsageError, match=r"its map settings\.data exists already"):
        with_globals(SETTINGS, ["hidden=1"], {"settings.data"})


def test_an_object_without_types() -> None:
    with pytest.raises(UsageError, match="no type information"):
        with_globals(object_of(), ["x=1"])


def test_a_name_that_two_sections_have() -> None:
    both: Any = _TwoSections(SETTINGS.btf)
    with pytest.raises(AmbiguousError, match=r"2 variables are called hidden: in \.bss, \.data"):
        with_globals(replace(SETTINGS, btf=both), ["hidden=1"])


class _TwoSections:
    """The types of an object, as if .bss had the variables of .data too."""

    def __init__(self, btf: Any) -> None:
        self._btf = btf

    def __getattr__(self, name: str) -> Any:
        return getattr(self._btf, name)

    def find(self, name: str, kind: Kind) -> int | None:
        found: int | None = self._btf.find(".data" if name == ".bss" else name, kind)
        return found
