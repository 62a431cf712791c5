"""Strings by their offsets, and offsets by their bytes."""

from __future__ import annotations

import pytest

from bpfctl.btf import strings
from bpfctl.btf.strings import MAX_STRING_BYTES, Strings, occurrences
from bpfctl.btf.texts import MANY, Texts

LONG = b"x" * 63
LONGER = b"y" * 64
SECTION = b"\0file\0my_file\0" + LONG + b"\0" + LONGER + b"\0"


@pytest.fixture(params=[bytes, memoryview])
def section(request: pytest.FixtureRequest) -> Strings:
    return Strings(request.param(SECTION))


def test_strings_by_offset(section: Strings) -> None:
    assert (section.first, section.end) == (0, len(SECTION))
    assert [section.get(at) for at in (0, 1, 5, 9)] == [b"", b"file", b"", b"file"]
    assert section.get(14) == LONG
    assert section.get(78) == LONGER


@pytest.mark.parametrize("offset", [-1, -5, len(SECTION), 2**32])
def test_what_lies_outside(section: Strings, offset: int) -> None:
    with pytest.raises(LookupError) as caught:
        section.get(offset)
    assert caught.value.args[0] == f"string offset {offset} lies outside of the string section"


def test_one_too_long() -> None:
    data = b"\0" + b"x" * (MAX_STRING_BYTES + 1) + b"\0"
    with pytest.raises(LookupError, match="the string at offset 1 is too long"):
        Strings(data).get(1)
    assert Strings(data).get(2) == b"x" * MAX_STRING_BYTES


def test_places(section: Strings) -> None:
    assert section.places(b"file\0") == [1, 9]
    assert section.places(b"none") == []


def test_offsets_go_on_where_the_bases_end(section: Strings) -> None:
    split = Strings(b"file\0more\0", section)
    first = len(SECTION)
    assert (split.first, split.end) == (first, first + 10)
    assert [split.get(at) for at in (1, 6, first, first + 5)] == [
        b"file",
        b"my_file",
        b"file",
        b"more",
    ]
    assert split.places(b"file\0") == [1, 9, first]
    with pytest.raises(LookupError, match="outside"):
        split.get(first + 10)


def test_each_search_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[bytes] = []

    def noting(haystack: bytes, wanted: bytes) -> list[int]:
        searched.append(wanted)
        return [at for at in range(len(haystack)) if haystack.startswith(wanted, at)]

    monkeypatch.setattr(strings, "occurrences", noting)
    base = Strings(SECTION)
    splits = [Strings(b"file\0", base) for _ in range(3)]
    assert [one.places(b"file\0") for one in splits * 2] == [[1, 9, len(SECTION)]] * 6
    assert searched == [b"file\0"] * 4, "in the base once, in each other once"
    for number in range(200):
        assert base.places(b"%d" % number) == []
    assert len(base._known) <= 64


@pytest.mark.parametrize("count", [1, MANY, MANY + 1, 3 * MANY])
def test_texts_are_the_same_however_many_are_asked_for(count: int) -> None:
    names = [f"name{number}" for number in range(count)]
    section = Strings("".join(f"\0{name}" for name in names).encode() + b"\0")
    texts = Texts(section, ValueError)
    offsets = [section.places(f"{name}\0".encode())[0] for name in names]
    assert [texts[offset] for offset in offsets] == names
    assert texts[offsets[0] + 1] == names[0][1:]
    with pytest.raises(ValueError, match="outside of the string section"):
        texts[section.end]


def test_texts_that_are_no_ascii() -> None:
    section = Strings(b"\0\xc3\xbc\0\xff\0" + b"".join(b"%d\0" % n for n in range(2 * MANY)))
    texts = Texts(section, ValueError)
    for number in range(MANY + 1):
        assert texts[section.places(b"\0%d\0" % number)[0] + 1] == str(number)
    assert (texts[1], texts[4]) == ("\u00fc", "\udcff")


@pytest.mark.parametrize("wanted", [b"ab\0", b"aa", b"a" * 40_000], ids=len)
@pytest.mark.parametrize("at", range(27_990, 28_010, 3))
@pytest.mark.parametrize("kind", [bytes, memoryview])
def test_what_is_searched_in_pieces_is_found_once(
    wanted: bytes, at: int, kind: type[bytes | memoryview]
) -> None:
    data = b"".join((bytes(at), wanted, b"a", bytes(30_000), wanted))
    places = [place for place in range(len(data)) if data.startswith(wanted, place)]
    assert list(occurrences(kind(data), wanted)) == places
