"""What counts as a difference between two sets of types."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.diff import Change, Detail, diff
from bpfctl.btf.facts import MAX_MEMBERS, Facts, MemberFact
from bpfctl.errors import BtfError
from tests.builders.btf import SAMPLE, parsed

INT = t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32)
LONG = t.Int(2, "long", 8, t.IntEncoding.SIGNED, 0, 64)


def changes(old: tuple[t.Type, ...], new: tuple[t.Type, ...], pattern: str = "*") -> list[Change]:
    """Compare types that stand behind INT and LONG."""
    return list(diff(parsed(INT, LONG, *old), parsed(INT, LONG, *new), pattern))


def details(old: tuple[t.Type, ...], new: tuple[t.Type, ...]) -> list[Detail]:
    (found,) = changes(old, new)
    assert found.old is not None
    assert found.new is not None
    return list(found.details)


def struct(*members: t.Member, size: int = 16, type_id: int = 3) -> t.Struct:
    return t.Struct(type_id, "s", size, members)


def test_nothing() -> None:
    assert list(diff(parsed(*SAMPLE), parsed(*SAMPLE))) == []


def test_ids_and_anonymous_types_do_not_matter() -> None:
    old = (t.Ptr(3, "", 1), struct(t.Member("p", 3, 0), size=8, type_id=4))
    new = (t.Volatile(3, "", 1), t.Ptr(4, "", 1), struct(t.Member("p", 4, 0), size=8, type_id=5))
    assert changes(old, new) == []


def test_added_and_removed() -> None:
    old, new = (struct(size=4),), (t.Enum(3, "e", 4, signed=False, values=()),)
    assert changes(old, new) == [
        Change("enum", "e", None, Facts("", 4, constants={})),
        Change("struct", "s", Facts("", 4, {}), None),
    ]
    assert changes(old, new, "e*") == [Change("enum", "e", None, Facts("", 4, constants={}))]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            (struct(t.Member("a", 1, 0), t.Member("b", 1, 32)),),
            (struct(t.Member("a", 2, 0), t.Member("c", 1, 64), size=24),),
            [
                Detail("size", "", 16, 24),
                Detail("member", "b", MemberFact("int", 32), None),
                Detail("member", "a", MemberFact("int", 0), MemberFact("long", 0)),
                Detail("member", "c", None, MemberFact("int", 64)),
            ],
            id="members",
        ),
        pytest.param(
            (struct(t.Member("a", 1, 0)),),
            (struct(t.Member("a", 1, 64)),),
            [Detail("member", "a", MemberFact("int", 0), MemberFact("int", 64))],
            id="moved",
        ),
        pytest.param(
            (struct(t.Member("a", 1, 0, 3)),),
            (struct(t.Member("a", 1, 0, 4)),),
            [Detail("member", "a", MemberFact("int : 3", 0), MemberFact("int : 4", 0))],
            id="bit-field",
        ),
        pytest.param(
            (t.Struct(3, "", 4, (t.Member("x", 1, 0),)), struct(t.Member("", 3, 64), type_id=4)),
            (t.Struct(3, "", 4, (t.Member("y", 1, 0),)), struct(t.Member("", 3, 64), type_id=4)),
            [
                Detail("member", "x", MemberFact("int", 64), None),
                Detail("member", "y", None, MemberFact("int", 64)),
            ],
            id="anonymous member",
        ),
        pytest.param(
            (
                t.Struct(3, "", 4, (t.Member("x", 1, 0),)), t.Array(4, "", 3, 1, 2),
                struct(t.Member("arr", 4, 0), type_id=5),
            ),
            (
                t.Struct(3, "", 4, ()), t.Array(4, "", 3, 1, 2),
                struct(t.Member("arr", 4, 0), type_id=5),
            ),
            [Detail("member", "arr[].x", MemberFact("int", 0), None)],
            id="array of anonymous",
        ),
        pytest.param(
            (t.Enum(3, "e", 4, signed=False, values=(t.EnumValue("A", 0), t.EnumValue("B", 1))),),
            (t.Enum(3, "e", 4, signed=True, values=(t.EnumValue("A", 2), t.EnumValue("C", -1))),),
            [
                Detail("constant", "B", 1, None),
                Detail("constant", "A", 0, 2),
                Detail("constant", "C", None, -1),
            ],
            id="constants",
        ),
        pytest.param(
            (t.FuncProto(3, "", 0, (t.Param("a", 1),)), t.Func(4, "f", 3, 0)),
            (t.FuncProto(3, "", 2, (t.Param("a", 1), t.Param("b", 2))), t.Func(4, "f", 3, 0)),
            [Detail("text", "", "void f(int a)", "long f(int a, long b)")],
            id="signature",
        ),
        pytest.param(
            (t.Typedef(3, "t", 1),), (t.Typedef(3, "t", 2),),
            [Detail("text", "", "int", "long")], id="typedef",
        ),
        pytest.param(
            (t.Struct(3, "", 4, (t.Member("x", 1, 0),)), t.Typedef(4, "t", 3)),
            (t.Struct(3, "", 4, (t.Member("y", 1, 0),)), t.Typedef(4, "t", 3)),
            [
                Detail("member", "x", MemberFact("int", 0), None),
                Detail("member", "y", None, MemberFact("int", 0)),
            ],
            id="anonymous typedef",
        ),
        pytest.param(
            (t.Var(3, "v", 1, 1),), (t.Var(3, "v", 2, 1),),
            [Detail("text", "", "int", "long")], id="variable",
        ),
        pytest.param(
            (t.Int(3, "n", 4, 0, 0, 32),), (t.Int(3, "n", 4, t.IntEncoding.SIGNED, 0, 32),),
            [Detail("text", "", "32 bits unsigned", "32 bits signed")], id="number",
        ),
    ],
)  # fmt: skip
def test_details(old: tuple[t.Type, ...], new: tuple[t.Type, ...], expected: list[Detail]) -> None:
    assert details(old, new) == expected


def test_negative_constants_without_a_sign() -> None:
    """Compilers before clang 15 wrote -1 as 4294967295."""
    old = (t.Enum(3, "e", 4, signed=False, values=(t.EnumValue("A", 2**32 - 1),)),)
    new = (t.Enum(3, "e", 4, signed=True, values=(t.EnumValue("A", -1),)),)
    assert changes(old, new) == []
    before, after = (t.Enum(3, "", 4, one.signed, one.values) for one in (*old, *new))
    assert changes((before,), (after,)) == []


def test_constants_of_anonymous_enums() -> None:
    old = (t.Enum(3, "", 4, signed=False, values=(t.EnumValue("A", 0), t.EnumValue("B", 1))),)
    new = (t.Enum(3, "", 4, signed=False, values=(t.EnumValue("A", 5),)),)
    assert changes(old, new) == [
        Change("constant", "A", Facts("0"), Facts("5"), (Detail("text", "", "0", "5"),)),
        Change("constant", "B", Facts("1"), None),
    ]


def test_two_of_one_name() -> None:
    """Only what has no equal on the other side differs."""
    small, large = struct(size=4), t.Struct(4, "s", 8, ())
    assert changes((small, large), (struct(size=8), t.Struct(4, "s", 4, ()))) == []
    (found,) = changes((small, large), (struct(size=8),))
    assert found == Change("struct", "s", Facts("", 4, {}), None)


def test_declared_only() -> None:
    (found,) = changes((t.Fwd(3, "s"),), (struct(size=4),))
    assert [one.to_json() for one in found.details] == [
        {"what": "size", "name": "", "old": None, "new": 4},
        {"what": "text", "name": "", "old": "declared only", "new": ""},
    ]
    assert changes((t.Fwd(3, "s"), struct(size=4, type_id=4)), (struct(size=4),)) == []


def test_split_types_count_with_their_base() -> None:
    base = parsed(INT, LONG)
    split = parsed(t.Typedef(3, "t", 1), base=base)
    assert list(diff(base, split)) == [Change("typedef", "t", None, Facts("int"))]


def test_members_without_end() -> None:
    levels = [t.Struct(3, "", 4, (t.Member("a", 1, 0),))]
    for type_id in range(4, 24):
        below = type_id - 1
        levels.append(t.Struct(type_id, "", 4, (t.Member("", below, 0), t.Member("", below, 0))))
    levels.append(t.Struct(24, "s", 4, (t.Member("", 23, 0),)))
    with pytest.raises(BtfError, match=f"more than {MAX_MEMBERS} members"):
        changes(tuple(levels), ())


def test_a_struct_that_contains_itself() -> None:
    circle = (t.Struct(3, "", 4, (t.Member("x", 3, 0),)), t.Typedef(4, "circle", 3))
    with pytest.raises(BtfError, match="is nested too deeply"):
        changes(circle, ())


@pytest.mark.parametrize(
    ("size", "is64", "value", "shown"),
    [
        pytest.param(4, False, 0xFFFFFFFF, -1, id="32 bits, whose sign may not be told"),
        pytest.param(8, True, 2**64 - 1, 2**64 - 1, id="64 bits, whose sign is"),
        pytest.param(0x7FFFFFFF, False, 5, 5, id="of no size there is"),
        pytest.param(0, False, 5, 5, id="of none"),
    ],
)
def test_values_of_constants(size: int, is64: bool, value: int, shown: int) -> None:
    values = (t.EnumValue("A", value),)
    (found,) = changes((), (t.Enum(3, "e", size, signed=False, values=values, is64=is64),))
    assert found.new == Facts("", size, constants={"A": shown})
