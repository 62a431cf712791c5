"""CO-RE relocations of bit-fields: which load reads them, how far to shift."""

from __future__ import annotations

import pytest

from bpfctl.btf.core_fixup import CoreKind, MemorySize
from bpfctl.errors import RelocationError

from .core_pairs import Types, fixup

OFFSET = CoreKind.FIELD_BYTE_OFFSET
SIZE = CoreKind.FIELD_BYTE_SIZE
SIGNED = CoreKind.FIELD_SIGNED
INT, UINT, U16, U64 = Types.INT, Types.UINT, Types.U16, Types.U64


@pytest.mark.parametrize(
    ("bits", "offset", "size", "lshift", "rshift"),
    [
        pytest.param((0, 1), 0, 4, 63, 63, id="first-bit"),
        pytest.param((37, 3), 4, 4, 64 - 8, 61, id="second-word"),
        pytest.param((30, 4), 0, 8, 64 - 34, 60, id="across-words"),
        pytest.param((64 + 60, 4), 12, 4, 64 - 32, 60, id="last-bits"),
    ],
)
def test_bitfields(bits: tuple[int, int], offset: int, size: int, lshift: int, rshift: int) -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("b", UINT, (0, 1)))
    kernel.struct("s", ("b", UINT, bits))
    values = [
        fixup(local, root, "0:0", kind, kernel).value
        for kind in (OFFSET, SIZE, CoreKind.FIELD_LSHIFT_U64, CoreKind.FIELD_RSHIFT_U64, SIGNED)
    ]
    assert values == [offset, size, lshift, rshift, 0]


def test_bitfields_of_a_big_endian_kernel() -> None:
    local, kernel = Types(">"), Types(">")
    root = local.struct("s", ("b", UINT, (0, 1)))
    kernel.struct("s", ("b", UINT, (37, 3)))
    assert fixup(local, root, "0:0", CoreKind.FIELD_LSHIFT_U64, kernel).value == 32 + 5
    assert fixup(local, root, "0:0", CoreKind.FIELD_RSHIFT_U64, kernel).value == 61


def test_which_bitfield_values_are_checked() -> None:
    """The compiler may choose another load than we would; sign and width are certain."""
    local, kernel = Types(), Types()
    root = local.struct("s", ("b", INT, (5, 3)))
    kernel.struct("s", ("b", INT, (9, 4)))
    originals = [fixup(local, root, "0:0", kind, kernel).original for kind in list(CoreKind)[:6]]
    assert originals == [None, None, 1, 1, None, 61]


def test_a_bitfield_that_is_a_field_in_the_kernel() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("b", UINT, (5, 3)))
    kernel.struct("s", ("b", U16, 6))
    found = fixup(local, root, "0:0", OFFSET, kernel)
    assert (found.value, found.memory) == (6, MemorySize(0, 2, adjustable=False))
    assert fixup(local, root, "0:0", CoreKind.FIELD_LSHIFT_U64, kernel).value == 48
    assert fixup(local, root, "0:0", CoreKind.FIELD_RSHIFT_U64, kernel).value == 48


@pytest.mark.parametrize(
    ("type_name", "bits", "message"),
    [
        pytest.param("u64", (60, 8), "cannot be read by one load", id="nine-bytes"),
        pytest.param("u128", (0, 8), "stored in a type of 16 bytes", id="wide-type"),
        pytest.param("struct", (0, 8), "stored in a type of 64 bytes", id="struct"),
    ],
)
def test_bitfields_nobody_can_read(type_name: str, bits: tuple[int, int], message: str) -> None:
    local, kernel = Types(), Types()
    makers = {"u64": U64, "u128": kernel.integer("u128", 16), "struct": kernel.struct("x")}
    ours = local.integer("u128", 16)
    ours = {"u64": U64, "u128": ours, "struct": local.struct("x")}[type_name]
    root = local.struct("s", ("b", ours, (0, 1)))
    kernel.struct("s", ("b", makers[type_name], bits))
    with pytest.raises(RelocationError, match=message) as caught:
        fixup(local, root, "0:0", OFFSET, kernel)
    assert caught.value.insn_index == 3


def test_a_struct_cannot_be_shifted() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("a", local.struct("a"), 0))
    kernel.struct("s", ("a", kernel.struct("a"), 0))
    with pytest.raises(RelocationError, match="wider than 64 bits"):
        fixup(local, root, "0:0", CoreKind.FIELD_LSHIFT_U64, kernel)


def test_the_sign_of_an_enum_is_not_checked() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("e", local.enum("e", A=1), 0))
    kernel.struct("s", ("e", kernel.enum_signed("e", A=-1), 0))
    found = fixup(local, root, "0:0", SIGNED, kernel)
    assert (found.value, found.original) == (1, None)
