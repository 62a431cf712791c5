from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.history import HISTORY
from bpfctl.btf.sanitize import sanitize, sanitized
from bpfctl.errors import UsageError
from tests.builders.btf import SAMPLE, build, objects, parsed, raw, record, section

if TYPE_CHECKING:
    from pathlib import Path

DATA = build()


def changes(*missing: str, data: bytes = DATA) -> dict[int, t.Type]:
    """What became of the sample's types, of those that changed."""
    old, new = Btf.parse(data), Btf.parse(sanitize(data, frozenset(missing)))
    assert len(old) == len(new)
    return {now.id: now for was, now in zip(old.types(), new.types(), strict=True) if was != now}


def byte(type_id: int, name: str = "") -> t.Int:
    return t.Int(type_id, name, 1, 0, 0, 8)


# Without a sign -1 is read as the bits it is stored as.
UNSIGNED = (t.EnumValue("MINUS", 2**32 - 1), t.EnumValue("PLUS", 1))
PARAMS = (t.EnumValue("self", 10), t.EnumValue("param1", 0))


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        pytest.param("float", [t.Struct(5, "", 8, ())], id="float"),
        pytest.param("type_tag", [t.Const(15, "", 8), t.Const(16, "", 15)], id="type_tag"),
        pytest.param("decl_tag", [byte(30), byte(31)], id="decl_tag"),
        pytest.param("func_global", [t.Func(25, "act", 24, 0)], id="func_global"),
        pytest.param(
            "func",
            [
                t.Enum(24, "", 4, signed=False, values=PARAMS),
                t.Typedef(25, "act", 24),
                t.Typedef(26, "helper", 24),
            ],
            id="func",
        ),
        pytest.param(
            "datasec",
            [
                byte(27, "counter"),
                byte(28, "hidden"),
                t.Struct(29, "_bss", 32, (t.Member("counter", 27, 0), t.Member("hidden", 28, 64))),
            ],
            id="datasec",
        ),
        pytest.param(
            "enum64",
            [
                t.Enum(20, "sign", 1, signed=False, values=UNSIGNED),
                t.Struct(21, "big", 8, (t.Member("ALL", 1, 0),), is_union=True),
                t.Struct(22, "low", 8, (t.Member("LOW", 1, 0),), is_union=True),
            ],
            id="enum64",
        ),
        pytest.param("qmark_datasec", [], id="qmark_datasec"),
        pytest.param("empty_datasec", [], id="empty_datasec"),
        pytest.param("layout", [], id="layout"),
        pytest.param("long_names", [], id="long_names"),
    ],
)  # fmt: skip
def test_each_missing_kind(missing: str, expected: list[t.Type]) -> None:
    assert changes(missing) == {new.id: new for new in expected}


def test_func_wins_over_func_global() -> None:
    assert changes("func", "func_global") == changes("func")


def test_nothing_missing_changes_nothing() -> None:
    assert sanitize(DATA, frozenset()) is DATA


def test_everything_missing_leaves_only_the_oldest_kinds() -> None:
    new = Btf.parse(sanitize(DATA, frozenset(HISTORY)))
    new.validate()
    assert len(new) == len(SAMPLE) + 1
    assert max(found.kind for found in new.types()) <= t.Kind.RESTRICT


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_the_byte_order_stays(order: str) -> None:
    data = sanitize(build(order=order), frozenset({"float"}))
    assert Btf.parse(data).order == order


def test_string_offsets_stay() -> None:
    """.BTF.ext refers to strings that no type uses, such as lines of source."""
    types = record(t.Kind.FLOAT, 0, 8, name=8)
    old = Btf.parse(raw(types, b"\0x = 1;\0double\0"))
    new = Btf.parse(sanitize(old.data, frozenset({"float"})))
    assert [new.string(at) for at in (1, 8)] == ["x = 1;", "double"]


def test_question_marks_in_section_names() -> None:
    data = build((t.Datasec(1, "?struct_ops", 0, ()), t.Datasec(2, ".data?", 0, ())))
    assert changes("qmark_datasec", data=data) == {
        1: t.Datasec(1, "_struct_ops", 0, ()),
        2: t.Datasec(2, ".data_", 0, ()),
    }
    assert changes("datasec", data=data)[1] == t.Struct(1, "_struct_ops", 0, ())


def test_sections_without_variables() -> None:
    """Clang writes one for string literals in .rodata."""
    data = build((t.Datasec(1, ".rodata", 12, ()),))
    assert changes("empty_datasec", data=data) == {1: t.Struct(1, "_rodata", 12, ())}


def test_the_variables_of_a_section_are_put_in_order() -> None:
    places = (t.VarSecinfo(2, 8, 4), t.VarSecinfo(2, 0, 4))
    data = build((SAMPLE[0], t.Var(2, "v", 1, 0), t.Datasec(3, "a.b-1", 16, places)))
    members = (t.Member("v", 2, 0), t.Member("v", 2, 64))
    assert changes("datasec", data=data)[3] == t.Struct(3, "a_b_1", 16, members)


@pytest.mark.parametrize(
    ("value", "size"),
    [pytest.param(2**32 - 1, 8, id="u32"), pytest.param(-(2**31), 8, id="s32")],
)
def test_64_bit_enums_with_small_values_stay_enums(value: int, size: int) -> None:
    values = (t.EnumValue("A", value),)
    data = build((t.Enum(1, "e", size, value < 0, values, is64=True),))
    stored = (t.EnumValue("A", value % 2**32),)
    assert changes("enum64", data=data) == {1: t.Enum(1, "e", size, False, stored)}


def test_64_bit_enums_lose_their_names_when_no_integer_can_carry_them() -> None:
    data = build((t.Enum(1, "e", 8, False, (t.EnumValue("A", 2**40),), is64=True),))
    assert changes("enum64", data=data) == {1: t.Struct(1, "e", 8, (), is_union=True)}


def test_a_layout_section_goes() -> None:
    data = raw(record(t.Kind.INT, 0, 4, 32), layout=bytes(4) * 20)
    assert len(sanitize(data, frozenset({"layout"}))) == 24 + 16 + 1


def test_kinds_newer_than_ours_become_a_byte() -> None:
    btf = Btf.parse(raw([*record(20), *record(t.Kind.PTR, 0, 1)], layout=bytes(4) * 21))
    done = sanitized(btf, frozenset({"layout"}))
    assert list(Btf.parse(done.data).types()) == [byte(1, "unsigned char"), t.Ptr(2, "", 1)]
    assert done.replaced == {"kind 20": 1}


def test_what_is_replaced_is_counted() -> None:
    done = sanitized(Btf.parse(DATA), frozenset({"enum64", "type_tag"}))
    assert done.replaced == {"ENUM": 1, "ENUM64": 2, "TYPE_TAG": 2}


def test_tags_that_are_other_attributes() -> None:
    assert changes("tag_attributes") == {16: t.Const(16, "", 15), 31: byte(31)}


def test_long_names() -> None:
    """Those of members and constants count too; what tags say does not."""
    long, short = "n" * 128, "n" * 127
    data = build(
        (
            t.Int(1, "int", 4, 0, 0, 32),
            t.Struct(2, long, 4, (t.Member(long, 1, 0, 3), t.Member("m", 1, 3, 2))),
            t.Enum(3, "e", 4, signed=True, values=(t.EnumValue(long, -1),)),
            t.Typedef(4, long, 1),
            t.DeclTag(5, long, 2, -1),
            t.Typedef(6, short, 1),
        )
    )
    assert changes("long_names", data=data) == {
        2: t.Struct(2, short, 4, (t.Member(short, 1, 0, 3), t.Member("m", 1, 3, 2))),
        3: t.Enum(3, "e", 4, signed=True, values=(t.EnumValue(short, -1),)),
        4: t.Typedef(4, short, 1),
    }


def test_split_types_stay_split() -> None:
    base = Btf.parse(DATA)
    split = parsed(t.Float(33, "half", 2), t.Ptr(34, "", 5), base=base)
    done = sanitized(split, frozenset({"float"}))
    new = Btf.parse(done.data, base=base)
    assert list(new.types()) == [t.Struct(33, "", 2, ()), t.Ptr(34, "", 5)]
    assert done.replaced == {"FLOAT": 1}


def test_unknown_words_are_refused() -> None:
    with pytest.raises(UsageError, match="is called 'floats'"):
        sanitize(DATA, frozenset({"floats", "func"}))


@pytest.mark.parametrize("path", objects(), ids=lambda path: str(path.name))
@pytest.mark.parametrize("missing", [*HISTORY, "all"])
def test_objects_stay_readable(path: Path, missing: str) -> None:
    old = Btf.parse(section(path, ".BTF"))
    words = frozenset(HISTORY) if missing == "all" else frozenset({missing})
    new = Btf.parse(sanitize(old.data, words))
    new.validate()
    assert len(new) == len(old)
