from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.strings import MAX_STRING_BYTES
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from tests.builders.btf import SAMPLE, build, objects, raw, record, section

if TYPE_CHECKING:
    from pathlib import Path

INT = record(Kind.INT, 0, 4, 32)
BOTH_ORDERS = pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])


@pytest.fixture(scope="module")
def sample() -> Btf:
    return Btf.parse(build())


@BOTH_ORDERS
def test_every_kind_is_read_as_written(order: str) -> None:
    btf = Btf.parse(build(order=order))
    assert btf.order == order
    assert len(btf) == len(SAMPLE) + 1
    assert list(btf.types()) == list(SAMPLE)
    assert {found.kind for found in btf.types()} == set(Kind) - {Kind.VOID}
    btf.validate()


def test_type_zero_is_void(sample: Btf) -> None:
    assert sample.type(0) == t.Void()
    assert (sample.name(0), sample.kind_number(0), sample.type_name(0)) == ("void", 0, "void")


def test_names_and_kinds_come_without_decoding(sample: Btf) -> None:
    assert [sample.name(one.id) for one in SAMPLE] == [one.name for one in SAMPLE]
    assert [sample.kind_number(one.id) for one in SAMPLE] == [one.kind for one in SAMPLE]


def test_a_type_is_decoded_once(sample: Btf) -> None:
    assert sample.type(8) is sample.type(8)


def test_types_of_different_kinds_differ() -> None:
    one, other, same = t.Const(1, "", 2), t.Volatile(1, "", 2), t.Const(1, "", 2)
    assert [kept is one for kept in {one: 0, same: 1, other: 2}] == [True, False]
    assert repr(t.Ptr(1, "", 2)) == "Ptr(id=1, name='', type_id=2)"


def test_encodings_of_integers() -> None:
    ints = [found for found in SAMPLE if isinstance(found, t.Int)]
    assert [(one.is_signed, one.is_char, one.is_bool) for one in ints] == [
        (True, False, False), (False, True, False), (False, False, True), (False, False, False),
    ]  # fmt: skip


def test_record_offset_finds_the_info_word(sample: Btf) -> None:
    at = sample.record_offset(25)
    assert sample.data[at + 4 : at + 8] == bytes((1, 0, 0, Kind.FUNC))
    with pytest.raises(BtfError, match="there is no type 0"):
        sample.record_offset(0)


# --- header and sections


def test_a_longer_header_is_read() -> None:
    btf = Btf.parse(raw(INT, header_tail=b"\xff" * 12))
    assert list(btf.types()) == [t.Int(1, "", 4, 0, 0, 32)]


def test_bytes_around_the_sections_are_ignored() -> None:
    assert len(Btf.parse(raw(INT) + b"\xff" * 7)) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "does not begin with the magic number", id="empty"),
        pytest.param(b"\x9f", "does not begin with the magic number", id="half-magic"),
        pytest.param(b"\x9f\xeb\x01\0", "4 bytes long, shorter than its header", id="no-header"),
        pytest.param(raw(INT, magic=0xEB9E), "does not begin with the magic number", id="magic"),
        pytest.param(raw(INT, version=2), "has version 2", id="version"),
        pytest.param(raw(INT, hdr_len=20), "header of 20 bytes", id="header-short"),
        pytest.param(raw(INT, hdr_len=2**32 - 1), "a header of 4294967295", id="header-long"),
        pytest.param(raw(INT, type_len=2**32 - 4), "type section that ends behind", id="types"),
        pytest.param(
            raw(INT, type_off=2, type_len=12), "type section that is not aligned", id="alignment"
        ),
        pytest.param(raw(INT, type_len=15), "type section that ends inside a word", id="word"),
        pytest.param(raw(INT, str_off=2**31), "string section that ends behind", id="strings"),
        pytest.param(raw(INT, str_len=0), "string section does not begin and end", id="no-strings"),
        pytest.param(raw(INT, b"a\0"), "these types are based on others", id="first-string"),
        pytest.param(raw(INT, b"\0a"), "string section does not begin and end", id="last-string"),
        pytest.param(raw(INT[:3]), r"ends inside the record of type 1", id="cut-tail"),
        pytest.param(raw([*INT, 0]), r"ends inside the record of type 2", id="cut-record"),
        pytest.param(raw(record(Kind.STRUCT, 0xFFFF)), "inside the record of type 1", id="vlen"),
        pytest.param(raw(record(0)), r"unknown kind 0 \(type 1\)", id="kind-0"),
        pytest.param(raw([*INT, *record(77)]), r"unknown kind 77 \(type 2\)", id="kind-77"),
    ],
)
def test_broken_blobs(data: bytes, words: str) -> None:
    with pytest.raises(BtfError, match=words) as caught:
        Btf.parse(data, path="x.o")
    assert (caught.value.path, caught.value.section) == ("x.o", ".BTF")


def test_the_offset_of_a_broken_record_is_told() -> None:
    with pytest.raises(BtfError) as caught:
        Btf.parse(raw([*INT, *record(99)]))
    assert (caught.value.offset, caught.value.code) == (24 + 16, "btf-unknown-kind")
    assert caught.value.remedy == "use a newer bpfctl, or types made by an older pahole or compiler"


# --- kinds newer than ours, whose sizes the layout section tells (Linux 7.1)

LAYOUT = bytes(4) * 20 + bytes((4, 4, 0, 0)) + bytes((0, 6, 0, 0))


def test_an_unknown_kind_is_skipped_when_its_size_is_told() -> None:
    words = [*record(20, 2, 8, 1, 2, 3), *INT]
    btf = Btf.parse(raw(words, layout=LAYOUT))
    assert list(btf.types()) == [t.Int(2, "", 4, 0, 0, 32)]
    assert btf.kind_number(1) == 20
    assert btf.unknown_kinds() == {20: 1}
    btf.validate()
    with pytest.raises(BtfError, match="type 1 is of kind 20, newer than bpfctl knows"):
        btf.type(1)


def test_a_size_that_would_misalign_records_is_not_believed() -> None:
    with pytest.raises(BtfError, match="unknown kind 21"):
        Btf.parse(raw(record(21, 2, 8, 1, 2, 3), layout=LAYOUT))


def test_the_layout_section_does_not_change_known_kinds() -> None:
    wrong = bytes((12, 12, 0, 0)) * 20
    btf = Btf.parse(raw(INT, layout=wrong))
    assert (len(btf), btf.unknown_kinds()) == (2, {})


def test_a_layout_section_outside_of_the_blob_is_an_error() -> None:
    data = bytearray(raw(INT, layout=LAYOUT))
    data[28:32] = b"\0\0\1\0"
    with pytest.raises(BtfError, match="layout section that ends behind its end"):
        Btf.parse(bytes(data))


# --- single types


@pytest.mark.parametrize("type_id", [-1, 33, 2**32])
def test_ids_outside(sample: Btf, type_id: int) -> None:
    for ask in (sample.type, sample.name, sample.kind_number, sample.size_of):
        with pytest.raises(BtfError, match=f"there is no type {type_id}, only 32 types"):
            ask(type_id)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(record(Kind.PTR, 0, 5), id="ptr"),
        pytest.param(record(Kind.ARRAY, 0, 0, 1, 5, 3), id="array-index"),
        pytest.param(record(Kind.STRUCT, 1, 4, 0, 5, 0), id="member"),
        pytest.param(record(Kind.FUNC, 0, 5), id="func"),
        pytest.param(record(Kind.FUNC_PROTO, 1, 0, 0, 5), id="param"),
        pytest.param(record(Kind.FUNC_PROTO, 0, 5), id="return"),
        pytest.param(record(Kind.VAR, 0, 5, 0), id="var"),
        pytest.param(record(Kind.DATASEC, 1, 4, 5, 0, 4), id="datasec"),
        pytest.param(record(Kind.DECL_TAG, 0, 5, 0), id="decl-tag"),
        pytest.param(record(Kind.TYPEDEF, 0, 5), id="typedef"),
    ],
)
def test_references_to_nowhere(words: list[int]) -> None:
    btf = Btf.parse(raw(words))
    with pytest.raises(BtfError, match="refers to type 5, but there are only 1") as caught:
        btf.validate()
    assert caught.value.offset == 24


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(record(Kind.INT, 0, 4, 32, name=9), id="name"),
        pytest.param(record(Kind.STRUCT, 1, 4, 9, 0, 0), id="member-name"),
        pytest.param(record(Kind.ENUM, 1, 4, 9, 0), id="value-name"),
    ],
)
def test_names_outside_of_the_strings(words: list[int]) -> None:
    with pytest.raises(BtfError, match="string offset 9 lies outside"):
        Btf.parse(raw(words)).validate()


def test_a_name_that_is_no_utf8_survives() -> None:
    btf = Btf.parse(raw(record(Kind.TYPE_TAG, name=1), b"\0\xffx\0"))
    assert btf.name(1) == "\udcffx"
    assert btf.find("\udcffx", Kind.TYPE_TAG) == 1


# --- following


def chain(length: int) -> Btf:
    """An int behind so many typedefs."""
    words = [*INT]
    for at in range(length):
        words += record(Kind.TYPEDEF, 0, at + 1)
    return Btf.parse(raw(words))


def test_skip_modifiers(sample: Btf) -> None:
    assert [sample.skip_modifiers(i) for i in (14, 12, 16, 13, 8, 0)] == [8, 8, 8, 10, 8, 0]
    assert chain(60).skip_modifiers(61) == 1
    with pytest.raises(BtfError, match="type 66 goes through more than 64 modifiers"):
        chain(65).skip_modifiers(66)


def test_circles_end() -> None:
    btf = Btf.parse(raw([*record(Kind.CONST, 0, 2), *record(Kind.VOLATILE, 0, 1)]))
    for ask in (btf.skip_modifiers, btf.size_of, btf.is_signed):
        with pytest.raises(BtfError, match="goes through more than 64 modifiers"):
            ask(1)
    assert btf.type_name(1).endswith("...")
    array = Btf.parse(raw(record(Kind.ARRAY, 0, 0, 1, 1, 1)))
    with pytest.raises(BtfError, match="type 1 contains itself"):
        array.size_of(1)
    inside = Btf.parse(raw(record(Kind.STRUCT, 1, 4, 0, 1, 0)))
    assert inside.member(1, "x") is None


@pytest.mark.parametrize(
    ("type_id", "size"),
    [(1, 4), (5, 8), (6, 20), (7, 16), (9, 4), (10, 8), (14, 8), (20, 1), (28, 16), (29, 32)],
)
def test_size_of(sample: Btf, type_id: int, size: int) -> None:
    assert sample.size_of(type_id) == size


@pytest.mark.parametrize("type_id", [0, 17, 24, 25, 30])
def test_what_has_no_size(sample: Btf, type_id: int) -> None:
    with pytest.raises(BtfError, match="has no size"):
        sample.size_of(type_id)


def test_sizes_of_4_gib_and_more_are_refused() -> None:
    nested = [*INT, *record(Kind.ARRAY, 0, 0, 1, 1, 2**29), *record(Kind.ARRAY, 0, 0, 2, 1, 2**31)]
    btf = Btf.parse(raw(nested))
    assert btf.size_of(2) == 2**31
    with pytest.raises(BtfError, match=f"type 3 is {2**62} bytes large"):
        btf.size_of(3)


def test_signs(sample: Btf) -> None:
    signed = {found.id for found in SAMPLE if sample.kind_number(found.id) in (1, 6, 19)}
    assert {type_id for type_id in signed if sample.is_signed(type_id)} == {1, 20, 22}
    assert not sample.is_signed(10)


def test_members_are_found_in_anonymous_members_too(sample: Btf) -> None:
    assert sample.member(8, "b") == t.Member("b", 1, 3, 29)
    assert sample.member(14, "c") == t.Member("c", 2, 32)
    assert sample.member(8, "nothing") is None
    assert sample.member(1, "nothing") is None


def test_func_proto(sample: Btf) -> None:
    assert sample.func_proto(25) == SAMPLE[23]
    for type_id in (24, 1):
        with pytest.raises(BtfError, match=f"type {type_id} is no function with a prototype"):
            sample.func_proto(type_id)
    wrong = Btf.parse(raw([*INT, *record(Kind.FUNC, 0, 1)]))
    with pytest.raises(BtfError, match="type 2 is no function with a prototype"):
        wrong.func_proto(2)


# --- split BTF


@pytest.fixture(scope="module")
def split(sample: Btf) -> Btf:
    """Two types on top of the sample: one named by the base's strings, one by its own."""
    start = sample.string_end
    name = sample.data.index(b"\0pair\0") + 1 - sample.header.str_off
    words = [
        *record(Kind.STRUCT, 1, 4, start, 1, 0, name=name),
        *record(Kind.TYPEDEF, 0, 33, name=start + 2),
    ]
    return Btf.parse(raw(words, b"m\0pair___v2\0"), base=sample)


def test_split_ids_and_strings_go_on_after_the_base(sample: Btf, split: Btf) -> None:
    assert (split.first_id, len(split)) == (33, 35)
    assert list(split.types()) == [
        t.Struct(33, "pair", 4, (t.Member("m", 1, 0),)),
        t.Typedef(34, "pair___v2", 33),
    ]
    assert (split.type(8), split.name(8)) == (SAMPLE[7], "bits")
    assert split.kind_number(8) == Kind.STRUCT
    assert split.size_of(34) == 4
    assert split.type_name(34) == "pair___v2"


def test_split_look_ups_see_both(split: Btf) -> None:
    assert split.find_all("pair") == [7, 33]
    assert split.find("pair", Kind.STRUCT) == 7
    assert split.find_flavors("pair") == [7, 33, 34]
    assert split.find("pair___v2", Kind.TYPEDEF) == 34


def test_split_errors_do_not_name_offsets_of_the_base(split: Btf) -> None:
    assert split.error("x", 8).offset is None
    assert split.error("x", 33).offset == 24


def test_split_btf_may_have_no_strings(sample: Btf) -> None:
    assert len(Btf.parse(raw(INT, b""), base=sample)) == len(sample) + 1


def test_split_and_base_need_one_byte_order(sample: Btf) -> None:
    with pytest.raises(BtfError, match="another byte order than its base"):
        Btf.parse(raw(INT, order=">"), base=sample)


@pytest.mark.parametrize("path", objects(), ids=lambda path: str(path.name))
def test_what_clang_made_is_read_whole(path: Path) -> None:
    btf = Btf.parse(section(path, ".BTF"), path=str(path))
    btf.validate()
    assert len(list(btf.types())) == len(btf) - 1


def test_a_string_too_long_to_be_a_name() -> None:
    """A million types may have the same name of megabytes."""
    longest = b"x" * MAX_STRING_BYTES
    strings = b"\0" + longest + b"\0" + longest + b"y\0"
    btf = Btf.parse(
        raw([*record(Kind.FWD, name=1), *record(Kind.FWD, name=len(longest) + 2)], strings)
    )
    assert btf.name(1) == longest.decode()
    with pytest.raises(BtfError, match="too long"):
        btf.name(2)
