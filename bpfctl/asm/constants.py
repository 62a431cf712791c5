"""What instructions make of constants: the values that every verifier knows, and no more.

Values are 64 bits, unsigned; None is one that nobody knows. Source: RFC 9669.
"""

from __future__ import annotations

import operator

from bpfctl.asm import insn as asm
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, Self

    from bpfctl.asm.insn import Insn

_BITS: Final = 64
_MASK: Final = {32: (1 << 32) - 1, 64: (1 << 64) - 1}


class Place(NamedTuple):
    """An address inside something with a name; with contents, what is read there is known.

    `name` "" stands for any address that is not 0.
    """

    name: str = ""
    offset: int = 0


class Absent(int):
    """The 0 that stands for a thing this kernel lacks; `name` tells which."""

    name: str

    def __new__(cls, name: str) -> Self:
        """Make the 0 of a name."""
        zero = super().__new__(cls, 0)
        zero.name = name
        return zero


Value = int | Place | None

_ADD, _SUB, _MOV = 0x00, 0x10, 0xB0
_SHIFTS: Final = (0x60, 0x70)
_ALU: Final[dict[int, Callable[[int, int], int]]] = {
    _ADD: operator.add,
    _SUB: operator.sub,
    0x20: operator.mul,
    0x40: operator.or_,
    0x50: operator.and_,
    0x60: operator.lshift,
    0x70: operator.rshift,
    0xA0: operator.xor,
}
_ARSH: Final = 0xC0
_JUMPS: Final[dict[int, Callable[[int, int], bool]]] = {
    0x10: operator.eq,
    0x20: operator.gt,
    0x30: operator.ge,
    0x40: lambda left, right: bool(left & right),
    0x50: operator.ne,
    0xA0: operator.lt,
    0xB0: operator.le,
}
_SIGNED_JUMPS: Final[dict[int, Callable[[int, int], bool]]] = {
    0x60: operator.gt,
    0x70: operator.ge,
    0xC0: operator.lt,
    0xD0: operator.le,
}
JEQ: Final = 0x10
JNE: Final = 0x50


def alu(insn: Insn, left: Value, right: Value) -> Value:
    """The value that an ALU instruction leaves in its register; `right` is its other operand."""
    bits = 64 if insn.instruction_class == asm.BPF_ALU64 else 32
    code = insn.opcode & 0xF0
    if insn.off:  # sign extension, signed division
        return None
    if code == _MOV:
        return right & _MASK[bits] if isinstance(right, int) and bits == 32 else _whole(right, bits)
    if isinstance(left, Place) and code == _ADD and isinstance(right, int) and bits == _BITS:
        return left._replace(offset=left.offset + signed(right, bits)) if left.name else None
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    left, right = left & _MASK[bits], right & _MASK[bits]
    if code in _SHIFTS or code == _ARSH:
        right &= bits - 1
    if code == _ARSH:
        return signed(left, bits) >> right & _MASK[bits]
    return _ALU[code](left, right) & _MASK[bits] if code in _ALU else None


def _whole(value: Value, bits: int) -> Value:
    """A copy of a register; the lower half of an address is no address."""
    return value if bits == _BITS else None


def jumps(insn: Insn, left: Value, right: Value) -> bool | None:
    """Whether a conditional jump is taken; None where constants do not tell."""
    bits = 64 if insn.instruction_class == asm.BPF_JMP else 32
    code = insn.opcode & 0xF0
    if isinstance(left, Place) and right == 0 and bits == _BITS and code in (JEQ, JNE):
        return code == JNE
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    if code in _SIGNED_JUMPS:
        return _SIGNED_JUMPS[code](signed(left, bits), signed(right, bits))
    known = _JUMPS.get(code)
    return known(left & _MASK[bits], right & _MASK[bits]) if known else None


def signed(value: int, bits: int) -> int:
    """Read the low bits of a number as a signed one."""
    half = 1 << bits - 1
    return (value + half & _MASK[bits]) - half


def unsigned(value: int) -> int:
    """Read a sign-extended immediate as 64 bits."""
    return value & _MASK[64]
