"""CO-RE relocations that go through arrays."""

from __future__ import annotations

import pytest

from bpfctl.btf.core_fixup import CoreKind

from .core_pairs import Types, fixup

OFFSET = CoreKind.FIELD_BYTE_OFFSET
INT, CHAR = Types.INT, Types.CHAR


def test_array_elements() -> None:
    local, kernel = Types(), Types()
    row = local.struct("row", ("a", INT, 0), ("b", CHAR, 4), size=8)
    root = local.struct("s", ("rows", local.array(local.array(row, 3), 2), 0), size=48)
    theirs = kernel.struct("row", ("b", CHAR, 1), ("a", INT, 8), size=12)
    kernel.struct("s", ("n", INT, 0), ("rows", kernel.array(kernel.array(theirs, 5), 4), 4))
    found = fixup(local, root, "0:0:1:2:1", OFFSET, kernel)
    assert found.spec_text == "struct s.rows[1][2].b (0:0:1:2:1)"
    assert found.original == (1 * 3 + 2) * 8 + 4
    assert found.value == 4 + (1 * 5 + 2) * 12 + 1


def test_a_root_element() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 4), size=8)
    kernel.struct("s", ("x", INT, 8), size=20)
    found = fixup(local, root, "2:0", OFFSET, kernel)
    assert found.spec_text == "struct s[2].x (2:0)"
    assert (found.value, found.original) == (2 * 20 + 8, 2 * 8 + 4)


@pytest.mark.parametrize(
    ("index", "count", "reason"),
    [
        pytest.param(3, 4, "", id="last"),
        pytest.param(4, 4, "the kernel's array has 4 elements, not 5", id="beyond"),
        pytest.param(9, 0, "", id="flexible"),
    ],
)
def test_the_kernels_array_bounds(index: int, count: int, reason: str) -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("a", local.array(INT, 16), 0), size=64)
    kernel.struct("s", ("n", INT, 0), ("a", kernel.array(INT, count), 4))
    found = fixup(local, root, f"0:0:{index}", OFFSET, kernel)
    assert found.reason == reason
    assert found.value == (0 if reason else 4 + 4 * index)
    assert found.poison == bool(reason)


def test_an_empty_array_in_the_middle_is_not_flexible() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("a", local.array(INT, 16), 0))
    kernel.struct("s", ("a", kernel.array(INT, 0), 0), ("n", INT, 0))
    assert "has 0 elements" in fixup(local, root, "0:0:0", OFFSET, kernel).reason


def test_flexible_in_a_union_and_in_the_object() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("n", INT, 0), ("a", local.array(INT, 0), 4))
    variants = kernel.struct("", ("a", kernel.array(INT, 0), 0), ("n2", INT, 0), union=True)
    kernel.struct("s", ("n", INT, 0), ("", variants, 8))
    found = fixup(local, root, "0:1:5", OFFSET, kernel)
    assert (found.value, found.original) == (8 + 20, 4 + 20)


def test_no_array_any_more() -> None:
    local, kernel = Types(), Types()
    nested = local.array(INT, 2)
    root = local.struct("s", ("a", local.array(nested, 2), 0))
    kernel.struct("s", ("a", kernel.array(INT, 4), 0))
    found = fixup(local, root, "0:0:1", OFFSET, kernel)
    assert found.reason.startswith('member "a" of the kernel\'s struct s is ')


def test_no_struct_any_more() -> None:
    local, kernel = Types(), Types()
    inner = local.struct("in", ("x", INT, 0))
    root = local.struct("s", ("in", inner, 0))
    kernel.struct("s", ("in", INT, 0))
    found = fixup(local, root, "0:0:0", OFFSET, kernel)
    assert found.poison
    assert "cannot be read as" in found.reason
    kernel = Types()
    kernel.typedef("s_t", kernel.typedef("other", INT))
    root = local.typedef("s_t", root)
    found = fixup(local, root, "0:0", OFFSET, kernel)
    assert found.reason == 'no member "in": the kernel has type int there'


def test_only_the_first_dimension_is_flexible() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("a", local.array(local.array(INT, 4), 4), 0))
    kernel.struct("s", ("a", kernel.array(kernel.array(INT, 0), 0), 0))
    assert "has 0 elements, not 4" in fixup(local, root, "0:0:2:3", OFFSET, kernel).reason
