"""Types that only a module of the kernel has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.core import CoreTarget
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.errors import RelocationError

from .core_pairs import Types, fixup

if TYPE_CHECKING:
    from bpfctl.btf.core_fixup import CoreFixup

INT = Types.INT
OFFSET, EXISTS = CoreKind.FIELD_BYTE_OFFSET, CoreKind.FIELD_EXISTS


def module(base: Btf, name: str, member: str, offset: int) -> Btf:
    """The types of a module with a struct of one member."""
    builder = BtfBuilder(first_id=len(base), first_string=base.header.str_len)
    builder.add(t.Struct(0, name, 64, (t.Member(member, INT, offset * 8),)))
    return Btf.parse(builder.build(), base=base)


def asked(kernel: Types, *modules: tuple[str, str, int], kind: CoreKind = OFFSET) -> CoreFixup:
    """Ask for the member x of struct s."""
    local = Types()
    root = local.struct("s", ("x", INT, 0))
    base = kernel.btf()
    target = CoreTarget(base, lambda: [module(base, *one) for one in modules])
    return fixup(local, root, "0:0", kind, target)


def test_a_type_of_a_module_answers() -> None:
    found = asked(Types(), ("other", "x", 4), ("s", "x", 8))
    assert (found.value, found.target) == (8, "struct s [7]")


def test_modules_are_left_alone_when_the_kernel_has_the_type() -> None:
    def read() -> list[Btf]:
        pytest.fail("the modules were read")

    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0))
    kernel.struct("s", ("y", INT, 8))
    found = fixup(local, root, "0:0", OFFSET, CoreTarget(kernel.btf(), read))
    assert (found.poison, found.missing) == (True, "x")


def test_modules_that_agree_are_fine() -> None:
    assert asked(Types(), ("s", "x", 8), ("s", "x", 8)).value == 8


def test_a_module_that_has_the_member_answers_for_one_that_has_not() -> None:
    assert asked(Types(), ("s", "y", 4), ("s", "x", 8)).value == 8


def test_modules_that_differ_are_named() -> None:
    with pytest.raises(RelocationError) as caught:
        asked(Types(), ("s", "x", 8), ("s", "x", 12))
    assert (caught.value.code, caught.value.insn_index) == ("core-ambiguous", 3)
    assert caught.value.evidence == ["struct s [7] says 8", "struct s [7] says 12"]


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        pytest.param((), "the kernel has no struct s", id="no modules"),
        pytest.param((("z", "x", 0),), "the kernel has no struct s", id="no such type"),
        pytest.param(
            (("s", "y", 0),), 'the kernel\'s struct s has no member "x"', id="no such member"
        ),
    ],
)
def test_what_no_module_has(modules: tuple[tuple[str, str, int], ...], reason: str) -> None:
    found = asked(Types(), *modules)
    assert (found.poison, found.reason) == (True, reason)
    exists = asked(Types(), *modules, kind=EXISTS)
    assert (exists.poison, exists.value) == (False, 0)
