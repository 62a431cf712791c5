from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import UsageError
from tests.builders.btf import SAMPLE, build, objects, raw, record, section

if TYPE_CHECKING:
    from pathlib import Path


def test_the_bytes() -> None:
    """One blob written out by hand, so that reader and writer cannot be wrong together."""
    builder = BtfBuilder()
    assert builder.add(t.Int(0, "int", 4, 1, 0, 32)) == 1
    assert builder.add(t.Ptr(0, "", 1)) == 2
    assert builder.build() == bytes.fromhex(
        "9feb 01 00 18000000 00000000 1c000000 1c000000 05000000"
        "01000000 00000001 04000000 20000001"
        "00000000 00000002 01000000"
        "00 696e7400"
    )


def test_the_bytes_of_the_other_order() -> None:
    builder = BtfBuilder(">")
    builder.add(t.Fwd(0, "x", is_union=True))
    assert builder.build() == bytes.fromhex(
        "eb9f 01 00 00000018 00000000 0000000c 0000000c 00000003 00000001 87000000 00000000 007800"
    )


def test_ids_count_up_and_strings_are_stored_once() -> None:
    builder = BtfBuilder()
    assert [builder.add(t.Fwd(99, name)) for name in ("a", "b", "a", "")] == [1, 2, 3, 4]
    assert builder.string("b") == 3
    assert builder.build().endswith(b"\0a\0b\0")


@pytest.mark.parametrize("path", objects(), ids=lambda path: str(path.name))
@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_round_trip_of_what_clang_made(path: Path, order: str) -> None:
    types = tuple(Btf.parse(section(path, ".BTF")).types())
    assert tuple(Btf.parse(build(types, order)).types()) == types


def test_split(sample: Btf) -> None:
    builder = BtfBuilder(first_id=len(sample), first_string=sample.string_end)
    assert builder.add(t.Struct(0, "more", 4, (t.Member("own", 1, 0),))) == len(sample)
    split = Btf.parse(builder.build(), base=sample)
    assert list(split.types()) == [t.Struct(33, "more", 4, (t.Member("own", 1, 0),))]
    empty = BtfBuilder(first_id=len(sample), first_string=sample.string_end)
    empty.add(t.Ptr(0, "", 1))
    assert list(Btf.parse(empty.build(), base=sample).types()) == [t.Ptr(33, "", 1)]


@pytest.fixture
def sample() -> Btf:
    return Btf.parse(build())


def test_given_strings_keep_their_places() -> None:
    builder = BtfBuilder(strings=b"\0line text\0int\0int\0")
    assert [builder.string(text) for text in ("line text", "int", "", "new")] == [1, 11, 0, 19]
    builder.add(t.Fwd(0, "int"))
    assert builder.build().endswith(b"\0line text\0int\0int\0new\0")


def test_names_that_are_no_utf8_survive() -> None:
    types = tuple(Btf.parse(raw(record(18, name=1), b"\0\xff\xc3\0")).types())
    assert build(types).endswith(b"\0\xff\xc3\0")


def test_a_bit_field_far_in_is_refused() -> None:
    far = t.Struct(0, "s", 2**22, (t.Member("a", 1, 0, 1), t.Member("b", 1, 2**24)))
    with pytest.raises(UsageError, match=r"s\.b lies too far in"):
        BtfBuilder().add(far)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        pytest.param(t.Void(), "has no record", id="void"),
        pytest.param(t.Fwd(1, "a\0b"), "has a zero character", id="name"),
        pytest.param(t.Ptr(1, "", 2**32), "does not fit", id="id"),
        pytest.param(t.Ptr(1, "", -1), "does not fit", id="negative-id"),
        pytest.param(t.Func(1, "f", 1, -1), "f has -1 elements", id="linkage"),
        pytest.param(
            t.Enum(1, "e", 4, signed=False, values=(t.EnumValue("A", 0),) * 65536),
            "e has 65536 elements; 65535 is the limit",
            id="elements",
        ),
    ],
)
def test_what_does_not_fit(wrong: t.Type, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        BtfBuilder().add(wrong)


def test_ids_must_be_the_ones_they_get() -> None:
    with pytest.raises(UsageError, match="type 5 would become type 2"):
        BtfBuilder().add_all((SAMPLE[0], t.Ptr(5, "", 1)))


def test_types_can_be_changed_with_replace() -> None:
    assert replace(t.Typedef(7, "a", 1), id=8) == t.Typedef(8, "a", 1)
