"""Records taken apart: what they refer to, and the columns of what follows them."""

from __future__ import annotations

from array import array

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.index import Index
from bpfctl.errors import BtfError
from tests.builders.btf import build

INT = t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32)
PTR = t.Ptr(2, "", 1)
M = t.Member


def btf_of(*types: t.Type) -> Btf:
    """Types behind `int` and `int *`: the first has id 3."""
    return Btf.parse(build((INT, PTR, *types)))


@pytest.mark.parametrize(
    ("found", "references"),
    [
        pytest.param(t.Ptr(3, "", 2), [2], id="pointer"),
        pytest.param(t.Typedef(3, "x", 1), [1], id="typedef"),
        pytest.param(t.Array(3, "", 2, 1, 7), [2, 1], id="element, then index"),
        pytest.param(t.Struct(3, "s", 8, (M("a", 2, 0), M("b", 1, 64))), [2, 1], id="members"),
        pytest.param(t.FuncProto(3, "", 1, (t.Param("p", 2),)), [1, 2], id="result, parameters"),
        pytest.param(t.Datasec(3, ".data", 8, (t.VarSecinfo(1, 0, 4),)), [1], id="variables"),
        pytest.param(t.Enum(3, "e", 4, False, (t.EnumValue("A", 2),)), [], id="enum"),
        pytest.param(t.Float(3, "double", 8), [], id="a size is no reference"),
    ],
)  # fmt: skip
def test_references(found: t.Type, references: list[int]) -> None:
    assert list(btf_of(found).records[3].references) == references


@pytest.mark.parametrize(
    ("members", "places"),
    [
        pytest.param((M("a", 1, 0), M("b", 1, 32)), ([0, 32], [0, 0]), id="plain"),
        pytest.param((M("a", 1, 0, 3), M("b", 1, 3, 5)), ([0, 3], [3, 5]), id="bit-fields"),
    ],
)
def test_places(members: tuple[t.Member, ...], places: tuple[list[int], list[int]]) -> None:
    offsets, widths = btf_of(t.Struct(3, "s", 8, members)).records[3].places()
    assert (list(offsets), list(widths)) == places


def test_a_record_is_read_once() -> None:
    btf = btf_of()
    assert btf.records[2] is btf.records[2]


def test_records_of_the_base() -> None:
    base = btf_of()
    builder = BtfBuilder(first_id=len(base), first_string=base.header.str_len)
    builder.add(t.Typedef(3, "x", 2))
    split = Btf.parse(builder.build(), base=base)
    assert split.records[2] is base.records[2]
    assert split.records[3].name == "x"
    assert split.records[0].name == "void"


@pytest.mark.parametrize("type_id", [-1, 3])
def test_no_such_type(type_id: int) -> None:
    with pytest.raises(BtfError, match=f"there is no type {type_id}, only 2 types"):
        btf_of().records[type_id]


def test_what_a_wrong_index_says() -> None:
    """It may lead behind the last record, or into the midst of what is longer than the rest."""
    data = build((INT, PTR))
    for starts in ([0, 400], [0, 6]):
        index = Index(array("I", starts), array("I", [1, 0]), array("Q"))
        with pytest.raises(BtfError, match="the index of types is wrong about type 2"):
            Btf.parse(data, index=index).records[2]
