"""CO-RE relocations of enumerators."""

from __future__ import annotations

import pytest

from bpfctl.btf.core_fixup import CoreFixup, CoreKind
from bpfctl.errors import RelocationError

from .core_pairs import Types, fixup

EXISTS, VALUE = CoreKind.ENUMVAL_EXISTS, CoreKind.ENUMVAL_VALUE


def test_everything_a_fixup_says() -> None:
    local, kernel = Types(), Types()
    root = local.enum("hook", FIRST=1, SECOND=2)
    kernel.enum("hook", ZERO=0, SECOND=12)
    assert fixup(local, root, "1", VALUE, kernel) == CoreFixup(
        VALUE,
        "enum hook::SECOND (1)",
        value=12,
        original=2,
        value_bits=32,
        target="enum hook [7]",
        candidates=("enum hook [7]",),
    )
    found = fixup(local, root, "1", EXISTS, kernel)
    assert (found.value, found.original, found.value_bits) == (1, 1, 64)


def test_a_constant_that_is_gone() -> None:
    local, kernel = Types(), Types()
    root = local.enum("hook", FIRST=1, SECOND=2)
    kernel.enum("hook", ZERO=0, SECONDS=12)
    found = fixup(local, root, "1", VALUE, kernel)
    assert (found.poison, found.original) == (True, None)
    assert found.reason == 'the kernel\'s enum hook has no constant "SECOND"'
    assert found.nearest() == ["SECONDS"]
    found = fixup(local, root, "1", EXISTS, kernel)
    assert (found.poison, found.value, found.original) == (False, 0, 1)


def test_an_enumeration_that_is_gone() -> None:
    local, kernel = Types(), Types()
    root = local.enum("hook", FIRST=1)
    kernel.struct("hook")
    assert fixup(local, root, "0", VALUE, kernel).reason == "the kernel has no enum hook"
    assert fixup(local, root, "0", EXISTS, kernel).value == 0


@pytest.mark.parametrize(
    ("ours64", "theirs64", "value_bits"),
    [(False, False, 32), (True, False, 64), (False, True, 64), (True, True, 64)],
)
def test_enum_and_enum64(ours64: bool, theirs64: bool, value_bits: int) -> None:
    local, kernel = Types(), Types()
    root = local.enum64("e", A=1) if ours64 else local.enum("e", A=1)
    value = (1 << 40) + 1 if theirs64 else 5
    kernel.enum64("e", A=value) if theirs64 else kernel.enum("e", A=value)
    found = fixup(local, root, "0", VALUE, kernel)
    assert (found.value, found.original, found.value_bits) == (value, 1, value_bits)


@pytest.mark.parametrize("ours", ["A", "A___old"])
@pytest.mark.parametrize("theirs", ["A", "A___new"])
def test_flavours_of_constants(ours: str, theirs: str) -> None:
    local, kernel = Types(), Types()
    root = local.enum("e___mine", **{ours: 1})
    kernel.enum("e", **{"AA": 2, theirs: 3})
    assert fixup(local, root, "0", VALUE, kernel).value == 3


def test_a_typedef_of_an_anonymous_enumeration() -> None:
    local, kernel = Types(), Types()
    root = local.typedef("e_t", local.enum("", A=1))
    kernel.typedef("e_t", kernel.const(kernel.enum_signed("", A=-4)))
    found = fixup(local, root, "0", VALUE, kernel)
    assert (found.value, found.spec_text) == (-4, "typedef e_t::A (0)")


def test_a_typedef_that_is_no_enumeration_there() -> None:
    local, kernel = Types(), Types()
    root = local.typedef("e_t", local.enum("", A=1))
    kernel.typedef("e_t", kernel.INT)
    found = fixup(local, root, "0", VALUE, kernel)
    assert (found.poison, found.reason) == (True, "the kernel's type int is no enumeration")


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ("1", 'asks for constant "1" of enum e, which has 1'),
        ("0:0", 'asks for constant "0:0" of enum e'),
        ("A", "not numbers with colons"),
    ],
)
def test_an_access_that_leads_nowhere(access: str, message: str) -> None:
    local = Types()
    root = local.enum("e", A=1)
    with pytest.raises(RelocationError, match=message) as caught:
        fixup(local, root, access, VALUE, Types())
    assert caught.value.insn_index == 3


def test_a_root_that_is_no_enumeration() -> None:
    with pytest.raises(RelocationError, match="is on type int"):
        fixup(Types(), Types.INT, "0", VALUE, Types())
