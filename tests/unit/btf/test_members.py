"""Where members lie: holes, padding, bit-fields, what is nested, and hostile types."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.members import MAX_FIELDS, Inside, inside
from bpfctl.errors import BtfError
from tests.builders.btf import parsed

INT = t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32)
CHAR = t.Int(2, "char", 1, 0, 0, 8)


def layout(*types: t.Type, expand: bool = False) -> Inside:
    """Lay out the struct that is the last of the types behind INT and CHAR."""
    btf = parsed(INT, CHAR, *types)
    struct = btf.type(len(btf) - 1)
    assert isinstance(struct, t.Struct)
    return inside(btf, struct, expand=expand)


def places(found: Inside) -> list[tuple[str, int, int, int, int]]:
    return [
        (one.name, one.offset_bits, one.size_bytes, one.bitfield_bits, one.hole_bits)
        for one in found.fields
    ]


@pytest.mark.parametrize(
    ("struct", "expected", "padding"),
    [
        pytest.param(
            t.Struct(3, "s", 8, (t.Member("a", 1, 0), t.Member("b", 1, 32))),
            [("a", 0, 4, 0, 0), ("b", 32, 4, 0, 0)], 0, id="full",
        ),
        pytest.param(
            t.Struct(3, "s", 12, (t.Member("a", 2, 0), t.Member("b", 1, 32), t.Member("c", 2, 64))),
            [("a", 0, 1, 0, 0), ("b", 32, 4, 0, 24), ("c", 64, 1, 0, 0)], 24, id="hole, padding",
        ),
        pytest.param(
            t.Struct(3, "s", 4, (t.Member("a", 1, 0, 3), t.Member("b", 1, 5, 7))),
            [("a", 0, 4, 3, 0), ("b", 5, 4, 7, 2)], 20, id="bit-fields",
        ),
        pytest.param(
            t.Struct(3, "s", 8, (t.Member("a", 1, 0), t.Member("b", 2, 0)), is_union=True),
            [("a", 0, 4, 0, 0), ("b", 0, 1, 0, 0)], 0, id="union",
        ),
        pytest.param(
            t.Struct(3, "s", 4, (t.Member("b", 1, 0), t.Member("a", 2, 0))),
            [("b", 0, 4, 0, 0), ("a", 0, 1, 0, 0)], 0, id="out of order",
        ),
        pytest.param(t.Struct(3, "s", 5, ()), [], 40, id="empty"),
    ],
)  # fmt: skip
def test_places(
    struct: t.Struct, expected: list[tuple[str, int, int, int, int]], padding: int
) -> None:
    found = layout(struct)
    assert places(found) == expected
    assert found.padding_bits == padding


def test_bit_fields_in_the_old_encoding() -> None:
    found = layout(
        t.Int(3, "unsigned int", 4, 0, 4, 3), t.Struct(4, "s", 4, (t.Member("a", 3, 0),))
    )
    assert places(found) == [("a", 4, 4, 3, 4)]


def test_what_is_nested_counts_from_the_outermost() -> None:
    """Anonymous ones are opened, behind arrays and qualifiers too; named ones on demand."""
    types = (
        t.Struct(3, "", 8, (t.Member("x", 2, 0), t.Member("y", 1, 32))),
        t.Array(4, "", 3, 1, 2),
        t.Struct(5, "in", 4, (t.Member("z", 1, 0),)),
        t.Struct(6, "s", 32, (t.Member("", 3, 64), t.Member("arr", 4, 128), t.Member("n", 5, 0))),
    )
    found = layout(*types)
    anonymous, array, named = found.fields
    assert anonymous.inside is not None
    assert places(anonymous.inside) == [("x", 64, 1, 0, 0), ("y", 96, 4, 0, 24)]
    assert array.inside is not None
    assert places(array.inside) == [("x", 128, 1, 0, 0), ("y", 160, 4, 0, 24)]
    assert (array.base, array.declarator, array.type) == (
        "struct (anon)", "arr[2]", "struct (anon) [2]"
    )  # fmt: skip
    assert named.inside is None
    assert found.holes == [64, 24, 24]
    assert found.to_json()["holes"] == 3
    opened = layout(*types, expand=True).fields[2].inside
    assert opened is not None
    assert places(opened) == [("z", 0, 4, 0, 0)]


def test_json() -> None:
    found = layout(t.Struct(3, "s", 8, (t.Member("a", 2, 0), t.Member("b", 1, 32, 5))))
    assert found.to_json() == {
        "members": [
            {"name": "a", "type": "char", "type_id": 2, "offset": 0, "size": 1, "bits_offset": 0},
            {
                "name": "b", "type": "int", "type_id": 1, "offset": 4, "size": 4,
                "bits_offset": 32, "bitfield_size": 5, "hole_bits_before": 24,
            },
        ],
        "holes": 1,
        "hole_bits": 24,
        "padding_bits": 27,
    }  # fmt: skip


def test_a_struct_that_contains_itself() -> None:
    with pytest.raises(BtfError, match="nested too deeply"):
        layout(t.Struct(3, "", 8, (t.Member("", 3, 0),)))


def test_a_struct_with_too_many_members() -> None:
    """Each level has the one below twice: 2**20 members in 20 types."""
    levels = [t.Struct(3, "", 4, (t.Member("a", 1, 0),))]
    for type_id in range(4, 24):
        below = type_id - 1
        levels.append(t.Struct(type_id, "", 4, (t.Member("", below, 0), t.Member("", below, 0))))
    with pytest.raises(BtfError, match=f"more than {MAX_FIELDS} members"):
        layout(*levels)


def test_a_member_without_a_size() -> None:
    with pytest.raises(BtfError, match="has no size"):
        layout(t.Fwd(3, "f"), t.Struct(4, "s", 4, (t.Member("a", 3, 0),)))
