"""CO-RE relocations of types: existence, size, id, and whether they match."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.core_fixup import CoreFixup, CoreKind
from bpfctl.errors import RelocationError

from .core_pairs import Types, fixup

if TYPE_CHECKING:
    from collections.abc import Callable

INT, UINT, CHAR, LONG = Types.INT, Types.UINT, Types.CHAR, Types.LONG
EXISTS, MATCHES = CoreKind.TYPE_EXISTS, CoreKind.TYPE_MATCHES


def test_the_local_id_needs_no_kernel() -> None:
    local = Types()
    root = local.struct("", ("x", INT, 0))
    assert fixup(local, root, "0", CoreKind.TYPE_ID_LOCAL, Types()) == CoreFixup(
        CoreKind.TYPE_ID_LOCAL, "struct (anon)", value=root
    )


@pytest.mark.parametrize(
    ("kind", "value", "original"),
    [
        pytest.param(CoreKind.TYPE_ID_TARGET, 8, None, id="id"),
        pytest.param(EXISTS, 1, 1, id="exists"),
        pytest.param(CoreKind.TYPE_SIZE, 96, 16, id="size"),
        pytest.param(MATCHES, 1, 1, id="matches"),
    ],
)
def test_what_is_asked(kind: CoreKind, value: int, original: int | None) -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 8), size=16)
    kernel.struct("other")
    kernel.struct("s", ("y", LONG, 0), ("x", INT, 8), size=96)
    assert fixup(local, root, "0", kind, kernel) == CoreFixup(
        kind,
        "struct s",
        value=value,
        original=original,
        target="struct s [8]",
        candidates=("struct s [8]",),
    )


@pytest.mark.parametrize("kind", [CoreKind.TYPE_ID_TARGET, EXISTS, CoreKind.TYPE_SIZE, MATCHES])
def test_a_type_that_is_gone_is_0_and_no_poison(kind: CoreKind) -> None:
    local = Types()
    root = local.struct("s", ("x", INT, 8), size=16)
    found = fixup(local, root, "0", kind, Types())
    assert (found.value, found.poison) == (0, False)
    assert found.reason == "the kernel has no struct s"


# Types as they stand behind `typedef root_t`.
_SHAPES: dict[str, Callable[[Types], int]] = {
    "int": lambda types: INT,
    "uint": lambda types: UINT,
    "other int": lambda types: types.integer("s32", 4, signed=True),
    "wide int": lambda types: types.integer("int", 8, signed=True),
    "bit int": lambda types: types.integer("int", 4, signed=True, offset_bits=2),
    "void": lambda types: 0,
    "const int": lambda types: types.const(INT),
    "float": lambda types: types.float("double", 8),
    "void*": lambda types: types.ptr(0),
    "int*": lambda types: types.ptr(INT),
    "int**": lambda types: types.ptr(types.ptr(INT)),
    "s": lambda types: types.struct("s", ("x", INT, 0)),
    "s+": lambda types: types.struct("s", ("y", INT, 0), ("x", INT, 4)),
    "s other": lambda types: types.struct("s", ("x", CHAR, 0)),
    "s flavour": lambda types: types.struct("s___2", ("x", INT, 0)),
    "union s": lambda types: types.struct("s", ("x", INT, 0), union=True),
    "fwd s": lambda types: types.fwd("s"),
    "fwd union s": lambda types: types.fwd("s", union=True),
    "s*": lambda types: types.ptr(types.struct("s", ("x", INT, 0))),
    "s other*": lambda types: types.ptr(types.struct("s", ("x", CHAR, 0))),
    "t*": lambda types: types.ptr(types.struct("t", ("x", INT, 0))),
    "union s*": lambda types: types.ptr(types.struct("s", union=True)),
    "fwd s*": lambda types: types.ptr(types.fwd("s")),
    "fwd union s*": lambda types: types.ptr(types.fwd("s", union=True)),
    "int[2]": lambda types: types.array(INT, 2),
    "int[3]": lambda types: types.array(INT, 3),
    "char[2]": lambda types: types.array(CHAR, 2),
    "f(int)": lambda types: types.func_proto(INT, INT),
    "f(uint)": lambda types: types.func_proto(INT, UINT),
    "f(int*)": lambda types: types.func_proto(INT, types.ptr(INT)),
    "f(int,int)": lambda types: types.func_proto(INT, INT, INT),
    "void f(int)": lambda types: types.func_proto(0, INT),
    "enum": lambda types: types.enum("e", A=1, B=2),
    "enum-": lambda types: types.enum("e", B=7),
    "enum64": lambda types: types.enum64("e", A=1, B=2),
    "enum64 in 4": lambda types: types.enum64("e", 4, B=2, A=1),
}


def _typedef_of(shape: str) -> tuple[Types, int]:
    types = Types()
    return types, types.typedef("root_t", _SHAPES[shape](types))


def _answer(kind: CoreKind, ours: str, theirs: str) -> int:
    local, root = _typedef_of(ours)
    kernel, _ = _typedef_of(theirs)
    return fixup(local, root, "0", kind, kernel).value


# The others, floats and the bit-fields of very old compilers, agree with nothing.
_KINDS_THAT_AGREE = [
    {"int", "uint", "other int", "wide int", "const int"},
    {"void"},
    {"int*"},
    {"void*"},
    {"int**"},
    {"s", "s+", "s other", "s flavour"},
    {"union s"},
    {"fwd s", "fwd union s"},
    {"s*", "s other*", "t*"},
    {"union s*"},
    {"fwd s*", "fwd union s*"},
    {"int[2]", "int[3]", "char[2]"},
    {"f(int)", "f(uint)"},
    {"f(int*)"},
    {"f(int,int)"},
    {"void f(int)"},
    {"enum", "enum-", "enum64", "enum64 in 4"},
]


@pytest.mark.parametrize("ours", _SHAPES)
def test_types_that_exist(ours: str) -> None:
    found = {theirs for theirs in _SHAPES if _answer(EXISTS, ours, theirs)}
    assert found == next((alike for alike in _KINDS_THAT_AGREE if ours in alike), set())


# (ours, theirs): matches, besides every shape with itself.
_MATCHES = {
    ("int", "const int"),
    ("const int", "int"),
    ("int", "bit int"),
    ("bit int", "int"),
    ("const int", "bit int"),
    ("bit int", "const int"),
    *((one, other) for one in ("s", "s flavour") for other in ("s", "s+", "s flavour")),
    *((one, other) for one in ("s*", "s other*") for other in ("s*", "s other*", "fwd s*")),
    ("fwd s*", "s*"),
    ("fwd s*", "s other*"),
    ("union s*", "fwd union s*"),
    ("fwd union s*", "union s*"),
    ("enum-", "enum"),
    ("enum-", "enum64 in 4"),
    ("enum", "enum64 in 4"),
    ("enum64 in 4", "enum"),
}


@pytest.mark.parametrize("ours", _SHAPES)
def test_types_that_match(ours: str) -> None:
    found = {theirs for theirs in _SHAPES if _answer(MATCHES, ours, theirs)}
    itself = set() if ours == "float" else {ours}
    assert found == itself | {other for one, other in _MATCHES if one == ours}


def test_members_match_by_name() -> None:
    """The kernel may have more members, in another order; each of ours must be there."""
    local, kernel = Types(), Types()
    ours = local.struct("", ("u", INT, 0), union=True)
    root = local.struct("s", ("a", INT, 0), ("b", local.ptr(7), 8), ("", ours, 16))
    other = kernel.struct("", ("v", LONG, 0), union=True)
    theirs = kernel.struct("", ("w", LONG, 0), ("u", INT, 0), union=True)
    anonymous = (("", other, 0), ("", theirs, 8))
    kernel.struct(
        "s", *anonymous, ("b", kernel.ptr(kernel.struct("", union=True)), 24), ("a", INT, 32)
    )
    assert fixup(local, root, "0", MATCHES, kernel).value == 1


def test_members_that_do_not_match() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("a", INT, 0), ("b", INT, 8))
    kernel.struct("s", ("a", INT, 0), ("b", LONG, 8))
    found = fixup(local, root, "0", MATCHES, kernel)
    assert found.value == 0
    assert found.reason == "the kernel's struct s does not match the object's"
    assert fixup(local, root, "0", EXISTS, kernel).value == 1


def test_only_the_candidate_that_matches_counts() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("a", INT, 0))
    kernel.struct("s", ("a", LONG, 0))
    kernel.struct("s", ("a", INT, 0))
    assert fixup(local, root, "0", MATCHES, kernel).target == "struct s [8]"


@pytest.mark.parametrize("kind", [EXISTS, MATCHES])
def test_types_that_lead_back_to_themselves_end(kind: CoreKind) -> None:
    local, kernel = Types(), Types()
    for types in (local, kernel):
        types.typedef("root_t", 8)
        types.func_proto(8, 9, 9)
        types.ptr(8)
    assert fixup(local, 7, "0", kind, kernel).value == 1


def test_matching_ends_beyond_32_levels() -> None:
    local, kernel = Types(), Types()
    roots = []
    for types in (local, kernel):
        at = INT
        for _ in range(40):
            at = types.ptr(at)
        roots.append(types.typedef("root_t", at))
    with pytest.raises(RelocationError, match="nested more than 32 deep"):
        fixup(local, roots[0], "0", MATCHES, kernel)


def test_structs_that_branch_are_compared_once_each() -> None:
    """Each level holds the next one twice: 2**25 comparisons without a memory."""
    local, kernel = Types(), Types()
    for types in (local, kernel):
        at = INT
        for level in range(25):
            at = types.struct(f"s{level}", ("a", at, 0), ("b", at, 8))
    assert fixup(local, 7 + 24, "0", MATCHES, kernel).value == 1
