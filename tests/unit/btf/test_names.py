"""Look-ups by name, and names as C writes them."""

from __future__ import annotations

import random

import pytest

from bpfctl.btf import names
from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from tests.builders.btf import SAMPLE, build, parsed, raw, record


@pytest.fixture(scope="module")
def sample() -> Btf:
    return Btf.parse(build())


@pytest.fixture(params=[0, 8], ids=["in one pass", "one by one"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Both ways to look a name up must agree."""
    monkeypatch.setattr(names, "FEW_OFFSETS", request.param)
    return int(request.param)


@pytest.mark.usefixtures("way")
def test_every_name_is_found(sample: Btf) -> None:
    for one in SAMPLE:
        if one.name:
            assert sample.find(one.name, one.kind) == one.id
            assert sample.find_all(one.name) == [one.id]
    assert sample.find("pair", Kind.UNION) is None
    assert sample.find_all("pair", {Kind.UNION, Kind.STRUCT}) == [7]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", ["", "nothing", "air", "pai", "pair\0", "pair\0bits"])
def test_what_is_no_name(sample: Btf, name: str) -> None:
    assert sample.find_all(name) == []
    assert sample.find_flavors(name) == []


@pytest.mark.usefixtures("way")
def test_shared_and_repeated_strings() -> None:
    # "file" stands on its own twice, and at the end of "my_file".
    strings = b"\0file\0my_file\0file\0file_x\0"
    offsets = [1, 9, 14, 6, 19, 1]
    btf = Btf.parse(raw([w for o in offsets for w in record(Kind.FWD, name=o)], strings))
    assert btf.find_all("file") == [1, 2, 3, 6]
    assert btf.find_all("my_file") == [4]
    assert btf.find_all("file_x") == [5]


@pytest.mark.usefixtures("way")
def test_a_string_repeated_more_often_than_is_searched_one_by_one() -> None:
    strings = b"\0" + b"x\0" * 9
    words = [word for i in range(9) for word in record(Kind.FWD, name=1 + 2 * (8 - i))]
    assert Btf.parse(raw([*words, *record(Kind.FWD)], strings)).find_all("x") == list(range(1, 10))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_that_look_like_a_name_are_not_taken(order: str) -> None:
    # The word 1 is also an id, a size and a count here; at bytes 1, 2, 3 of a word it is none.
    words = [
        *record(Kind.FWD, name=1),
        *record(Kind.ARRAY, 0, 0, 1, 1, 1),
        *record(Kind.ARRAY, 0, 0, 1, 1, 0x100),
        *record(Kind.STRUCT, 1, 1, 1, 1, 1, name=3),
    ] * 80
    btf = Btf.parse(raw(words, b"\0a\0b\0", order=order))
    assert btf.find_all("a") == list(range(1, 321, 4))
    assert btf.find_all("b") == list(range(4, 321, 4))


@pytest.mark.usefixtures("way")
def test_flavors() -> None:
    words, strings = [], b"\0"
    for name in ("sock", "sock___old", "sock__x", "sock____", "my_sock___old", "sock_", "sock"):
        words += record(Kind.STRUCT, name=len(strings))
        strings += name.encode() + b"\0"
    btf = Btf.parse(raw(words, strings))
    assert btf.find_flavors("sock") == [1, 2, 4, 7]
    assert btf.find_flavors("sock", {Kind.UNION}) == []


def test_look_ups_agree_with_a_plain_search() -> None:
    """Names of few letters in random order share many suffixes, beyond FEW_OFFSETS."""
    rng = random.Random(2)
    pool = ["".join(rng.choices("ab_", k=rng.randint(1, 6))) for _ in range(150)]
    types = tuple(t.Fwd(i + 1, rng.choice(pool)) for i in range(400))
    btf = Btf.parse(build(types))
    for name in pool:
        assert btf.find_all(name) == [one.id for one in types if one.name == name]
        flavors = [o.id for o in types if o.name == name or o.name.startswith(name + "___")]
        assert btf.find_flavors(name) == flavors


TYPES: tuple[t.Type, ...] = (
    t.Int(1, "int", 4, 1, 0, 32),
    t.Struct(2, "task", 8, ()),
    t.Ptr(3, "", 2),
    t.Const(4, "", 2),
    t.Ptr(5, "", 4),
    t.Const(6, "", 3),
    t.Array(7, "", 3, 1, 4),
    t.Ptr(8, "", 7),
    t.FuncProto(9, "", 1, (t.Param("a", 3), t.Param("b", 13), t.Param("", 0))),
    t.Ptr(10, "", 9),
    t.Func(11, "act", 9, 0),
    t.Array(12, "", 10, 1, 0),
    t.Typedef(13, "handler_t", 10),
    t.FuncProto(14, "", 0, (t.Param("f", 10),)),
    t.Struct(15, "", 4, (), is_union=True),
    t.Enum(16, "colour", 4, signed=False, values=()),
    t.Var(17, "tasks", 7, 0),
    t.TypeTag(18, "user", 2),
    t.Ptr(19, "", 18),
    t.Restrict(20, "", 5),
    t.Datasec(21, ".bss", 0, ()),
    t.Volatile(22, "", 4),
    t.FuncProto(23, "", 3, ()),
    t.Const(24, "", 10),
    t.FuncProto(25, "", 0, (t.Param("", 7), t.Param("", 12), t.Param("", 24))),
)


@pytest.mark.parametrize(
    ("type_id", "text"),
    [
        (0, "void"),
        (1, "int"),
        (3, "struct task *"),
        (5, "const struct task *"),
        (6, "struct task *const"),
        (7, "struct task *[4]"),
        (8, "struct task *(*)[4]"),
        (9, "int (struct task *, handler_t, ...)"),
        (10, "int (*)(struct task *, handler_t, ...)"),
        (11, "int act(struct task *, handler_t, ...)"),
        (12, "int (*[])(struct task *, handler_t, ...)"),
        (13, "handler_t"),
        (14, "void ((...))"),
        (15, "union (anon)"),
        (16, "enum colour"),
        (17, "struct task *tasks[4]"),
        (19, "struct task *"),
        (20, "const struct task *restrict"),
        (21, "section .bss"),
        (22, "const volatile struct task"),
        (23, "struct task *(void)"),
        (25, "void (struct task *[4], (...), (...))"),
        (24, "int (*const)(struct task *, handler_t, ...)"),
    ],
)
def test_c_names(type_id: int, text: str) -> None:
    assert Btf.parse(build(TYPES)).type_name(type_id) == text


def test_c_names_of_broken_types_are_errors() -> None:
    with pytest.raises(BtfError, match="refers to type 9"):
        Btf.parse(raw(record(Kind.PTR, 0, 9))).type_name(1)


def test_c_names_of_pointers_without_end() -> None:
    btf = Btf.parse(build((t.Ptr(1, "", 1), t.FuncProto(2, "", 0, (t.Param("", 1),)))))
    assert btf.type_name(1) == "... " + "*" * 24
    assert btf.type_name(2) == "void ((...))"


def test_c_names_of_prototypes_that_take_themselves() -> None:
    """Found by fuzzing: through a function, which is no type of a parameter."""
    proto = t.FuncProto(1, "", 0, (t.Param("", 2),))
    assert parsed(proto, t.Func(2, "f", 1, 0)).type_name(1) == "void ((...))"


def test_c_names_of_hostile_prototypes_are_short() -> None:
    """Each prototype takes the next one twice: written out it would have 2^60 parameters."""
    protos = [t.FuncProto(i, "", i + 1, (t.Param("", i + 1),) * 2) for i in range(1, 60)]
    name = Btf.parse(build((*protos, t.FuncProto(60, "", 0, ())))).type_name(1)
    assert len(name) < 1000
