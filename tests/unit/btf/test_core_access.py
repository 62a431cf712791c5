"""CO-RE relocations that make no sense."""

from __future__ import annotations

import pytest

from bpfctl.btf.core_fixup import CoreKind
from bpfctl.errors import BtfError, RelocationError

from .core_pairs import Types, fixup

OFFSET = CoreKind.FIELD_BYTE_OFFSET
EXISTS = CoreKind.FIELD_EXISTS
INT, CHAR = Types.INT, Types.CHAR


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ("", "not numbers with colons"),
        ("0:", "not numbers with colons"),
        ("0:-1", "not numbers with colons"),
        ("0:1_0", "not numbers with colons"),
        ("0:\u0661", "not numbers with colons"),
        ("0:99999999999", "not numbers with colons"),
        ("0:4294967295", "not numbers with colons"),
        ("0" + ":0" * 64, "more than 64 steps"),
        ("0:3", "asks for member 3 of struct s, which has 3"),
        ("0:0:0", "goes into type int"),
        ("0:1:2", "asks for element 2 of an array of 2"),
        ("0:1:1:0", "goes into type char"),
    ],
)
def test_an_access_that_leads_nowhere(access: str, message: str) -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0), ("a", local.array(CHAR, 2), 4), ("y", INT, 8))
    with pytest.raises(RelocationError, match=message) as caught:
        fixup(local, root, access, OFFSET, kernel)
    assert caught.value.insn_index == 3


def test_a_root_that_does_not_exist() -> None:
    with pytest.raises(BtfError, match="there is no type 77"):
        fixup(Types(), 77, "0", OFFSET, Types())


def test_a_kind_from_the_future() -> None:
    with pytest.raises(RelocationError, match="of kind 13, newer than bpfctl") as caught:
        fixup(Types(), 1, "0", 13, Types())
    assert (caught.value.code, caught.value.insn_index) == ("core-unknown-kind", 3)


def test_a_kernel_struct_inside_itself() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("a", INT, 0))
    kernel.struct("s", ("", 7, 0))
    with pytest.raises(BtfError, match="anonymous members without end"):
        fixup(local, root, "0:0", EXISTS, kernel)


def test_an_array_of_itself() -> None:
    local, kernel = Types(), Types()
    for types in (local, kernel):
        types.struct("s", ("a", 8, 0))
        types.array(8, 2)
    with pytest.raises(RelocationError, match="nested more than 32 deep"):
        fixup(local, 7, "0:0", EXISTS, kernel)
    with pytest.raises(BtfError, match="contains itself"):
        fixup(local, 7, "0:0:1", EXISTS, kernel)
