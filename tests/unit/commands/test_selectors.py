"""The words that choose an object."""

from __future__ import annotations

import pytest
from bpfctl.commands.selectors import expect_end, parse_selector, take_selector

from bpfctl.errors import UsageError
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.select import Selector

PROG, MAP, LINK, BTF = ObjectKind.PROG, ObjectKind.MAP, ObjectKind.LINK, ObjectKind.BTF


@pytest.mark.parametrize(
    ("words", "kind", "by", "value"),
    [
        pytest.param("id 7", PROG, "id", "7", id="id"),
        pytest.param("id 0x1F", MAP, "id", "31", id="hexadecimal id"),
        pytest.param("7", LINK, "id", "7", id="short id"),
        pytest.param("007", PROG, "id", "7", id="leading zeros"),
        pytest.param("4294967295", PROG, "id", "4294967295", id="largest id"),
        pytest.param("name x", PROG, "name", "x", id="name"),
        pytest.param("name 7", PROG, "name", "7", id="a name of digits"),
        pytest.param("name id", MAP, "name", "id", id="a name that is a keyword"),
        pytest.param("name a/b", MAP, "name", "a/b", id="a name with a slash"),
        pytest.param("on_exec", PROG, "name", "on_exec", id="short name"),
        pytest.param("7up", PROG, "name", "7up", id="a name that begins with a digit"),
        pytest.param("\u0667", PROG, "name", "\u0667", id="digits of other scripts"),
        pytest.param("tag AB12", PROG, "tag", "ab12", id="tag"),
        pytest.param("tag 0123456789abcdef", PROG, "tag", "0123456789abcdef", id="whole tag"),
        pytest.param("pinned /p/x", LINK, "pinned", "/p/x", id="pinned"),
        pytest.param("pinned x", LINK, "pinned", "x", id="relative pin"),
        pytest.param("/sys/fs/bpf/x", MAP, "pinned", "/sys/fs/bpf/x", id="short path"),
        pytest.param("./7", MAP, "pinned", "./7", id="short relative path"),
        pytest.param("id 3", BTF, "id", "3", id="BTF"),
    ],
)
def test_forms(words: str, kind: ObjectKind, by: str, value: str) -> None:
    expected = Selector(kind, by, value)
    assert parse_selector(words.split(), kind) == expected
    assert take_selector([*words.split(), "more", "id"], kind) == (expected, ["more", "id"])


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ("", PROG, "which program? expected id ID, name NAME, tag TAG or pinned PATH"),
        ("", LINK, "which link? expected id ID or pinned PATH"),
        ("id", PROG, '"id" wants a number after it'),
        ("name", MAP, '"name" wants a name after it'),
        ("pinned", MAP, '"pinned" wants a path after it'),
        ("id x", PROG, '"x" is no id: expected a number from 1 to 4294967295'),
        ("id 0", PROG, '"0" is no id: expected a number from 1 to 4294967295'),
        ("id -1", PROG, '"-1" is no id: expected a number from 1 to 4294967295'),
        ("id +1", PROG, '"+1" is no id: expected a number from 1 to 4294967295'),
        ("id 1_0", PROG, '"1_0" is no id: expected a number from 1 to 4294967295'),
        ("id 0x", PROG, '"0x" is no id: expected a number from 1 to 4294967295'),
        ("4294967296", PROG, '"4294967296" is no id: expected a number from 1 to 4294967295'),
        ("tag xyz", PROG, '"xyz" is no tag: expected up to 16 hexadecimal digits'),
        (
            "tag 0123456789abcdef0",
            PROG,
            '"0123456789abcdef0" is no tag: expected up to 16 hexadecimal digits',
        ),
        ("tag ab", MAP, "a map has no tag: expected id ID, name NAME or pinned PATH"),
        ("name x", LINK, "a link has no name: expected id ID or pinned PATH"),
        ("x", LINK, '"x" names no link: expected id ID or pinned PATH'),
        ("/x", BTF, '"/x" names no BTF object: expected id ID or name NAME'),
        ("id 7 x", PROG, '"x" is one word too many: nothing is expected there'),
    ],
)
def test_errors(words: str, kind: ObjectKind, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_selector(words.split(), kind)
    assert caught.value.message == message


@pytest.mark.parametrize("words", [[""], ["name", ""], ["pinned", ""]])
def test_empty_words(words: list[str]) -> None:
    with pytest.raises(UsageError, match=r"^an empty word names no object$"):
        parse_selector(words, PROG)


def test_an_empty_id() -> None:
    with pytest.raises(UsageError, match=r'^"" is no id'):
        parse_selector(["id", ""], PROG)


def test_expect_end() -> None:
    expect_end([])
    with pytest.raises(UsageError, match='"x" is one word too many'):
        expect_end(["x", "y"])
