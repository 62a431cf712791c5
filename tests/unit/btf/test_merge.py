"""Types of several modules in one set: what counts as one, and what does not."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.flat import flat
from bpfctl.btf.merge import merged
from bpfctl.errors import BtfError
from tests.builders.btf import parsed

BASE = parsed(
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Struct(2, "known", 4, (t.Member("k", 1, 0),)),
    t.Fwd(3, "later"),
    t.Ptr(4, "", 3),
)


def merge(*modules: tuple[t.Type, ...]) -> list[t.Type]:
    """Merge modules whose types begin with id 5; return what is behind the base."""
    found = merged(BASE, [parsed(*types, base=BASE) for types in modules])
    assert found.base is None
    assert [found.type(i) for i in range(1, 5)] == [BASE.type(i) for i in range(1, 5)]
    return [found.type(i) for i in range(5, len(found))]


def struct(type_id: int, name: str, *refers: int) -> t.Struct:
    members = tuple(t.Member(f"m{place}", one, 64 * place) for place, one in enumerate(refers))
    return t.Struct(type_id, name, 8 * len(refers), members)


def names(found: list[t.Type]) -> list[tuple[str, str]]:
    return [(one.kind.name, one.name) for one in found]


def test_alike() -> None:
    """A list that leads back to itself, in two modules with other ids."""
    node = (t.Ptr(5, "", 6), struct(6, "node", 5, 1))
    other = (t.Typedef(5, "n_t", 7), t.Ptr(6, "", 7), struct(7, "node", 6, 1))
    assert merge(node, other) == [
        t.Ptr(5, "", 6),
        struct(6, "node", 5, 1),
        t.Typedef(7, "n_t", 6),
    ]


def test_nothing_to_merge() -> None:
    assert merge() == []
    assert merge(()) == []


def test_differing_structs_of_one_name_stay_with_those_that_use_them() -> None:
    """Two of three modules have the same `priv`; so have their `user`s."""
    small = (struct(5, "priv", 1), t.Ptr(6, "", 5), struct(7, "user", 6))
    large = (struct(5, "priv", 1, 1), t.Ptr(6, "", 5), struct(7, "user", 6))
    found = merge(small, large, small)
    assert names(found) == [("STRUCT", "priv"), ("PTR", ""), ("STRUCT", "user")] * 2
    assert [one.members[0].type_id for one in found if one.name == "user"] == [6, 9]  # type: ignore[attr-defined]  # structs


def test_differences_spread_through_several_structs() -> None:
    """a holds b holds c, which differ in c alone."""
    one = (struct(5, "c", 1), struct(6, "b", 5), struct(7, "a", 6))
    two = (struct(5, "c", 1, 1), struct(6, "b", 5), struct(7, "a", 6))
    assert len(merge(one, two)) == 6
    assert len(merge(one, one)) == 3


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        pytest.param(
            ((t.Fwd(5, "x"), t.Ptr(6, "", 5)), (struct(5, "x", 1), t.Ptr(6, "", 5))),
            [struct(5, "x", 1), t.Ptr(6, "", 5)],
            id="another module defines it",
        ),
        pytest.param(
            ((t.Fwd(5, "known"), t.Ptr(6, "", 5)),), [t.Ptr(5, "", 2)], id="the base defines it"
        ),
        pytest.param(
            ((t.Fwd(5, "x"), t.Ptr(6, "", 5)), (t.Fwd(5, "x"), t.Ptr(6, "", 5))),
            [t.Fwd(5, "x"), t.Ptr(6, "", 5)],
            id="nobody defines it",
        ),
        pytest.param(
            ((t.Fwd(5, "x"),), (struct(5, "x", 1),), (struct(5, "x", 1, 1),)),
            [t.Fwd(5, "x"), struct(6, "x", 1), struct(7, "x", 1, 1)],
            id="two define it, and differ",
        ),
        pytest.param(
            ((t.Fwd(5, "x", is_union=True),), (struct(5, "x", 1),)),
            [t.Fwd(5, "x", is_union=True), struct(6, "x", 1)],
            id="of another kind",
        ),
    ],
)
def test_declarations(modules: tuple[tuple[t.Type, ...], ...], expected: list[t.Type]) -> None:
    assert merge(*modules) == expected


def test_a_struct_of_the_base_stays_apart_from_one_of_its_name() -> None:
    uses_base = (t.Ptr(5, "", 2), struct(6, "user", 5))
    has_own = (struct(5, "known", 1, 1), t.Ptr(6, "", 5), struct(7, "user", 6))
    assert names(merge(uses_base, has_own)) == [
        ("PTR", ""), ("STRUCT", "user"), ("STRUCT", "known"), ("PTR", ""), ("STRUCT", "user")
    ]  # fmt: skip


def test_every_other_kind() -> None:
    """What is alike is there once; sections are each module's own."""
    module = (
        t.FuncProto(5, "", 1, (t.Param("a", 2),)),
        t.Func(6, "f", 5, 0),
        t.DeclTag(7, "bpf_kfunc", 6, -1),
        t.Enum(8, "e", 4, signed=False, values=(t.EnumValue("A", 1),)),
        t.Var(9, "v", 1, 1),
        t.Datasec(10, ".data", 4, (t.VarSecinfo(9, 0, 4),)),
        t.TypeTag(11, "user", 1),
        t.Array(12, "", 1, 1, 3),
        t.Float(13, "double", 8),
    )
    found = merge(module, module)
    assert tuple(found[:9]) == module
    assert found[9:] == [t.Datasec(14, ".data", 4, (t.VarSecinfo(9, 0, 4),))]


def test_flat_types_have_the_ids_and_strings_of_split_ones() -> None:
    split = parsed(struct(5, "s", 2, 4), t.Typedef(6, "t", 5), base=BASE)
    found = Btf.parse(flat(split))
    assert [found.type(i) for i in range(1, 7)] == [split.type(i) for i in range(1, 7)]
    assert flat(BASE) == BASE.data


def test_more_elements_than_old_kernels_count() -> None:
    """What is merged is for readers here: from Linux 7.2 on there may be 2**24."""
    values = tuple(t.EnumValue(f"V{number}", number) for number in range(1 << 16))
    builder = BtfBuilder(first_id=5, first_string=BASE.string_end, wide=True)
    builder.add(t.Enum(5, "many", 4, signed=False, values=values))
    found = merged(BASE, [Btf.parse(builder.build(), base=BASE)])
    assert found.type(5) == t.Enum(5, "many", 4, signed=False, values=values)


def test_a_type_that_contains_itself() -> None:
    with pytest.raises(BtfError, match="nested too deeply"):
        merge((struct(5, "", 5), struct(6, "s", 5)))
