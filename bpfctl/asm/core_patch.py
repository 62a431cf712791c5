"""Write a CO-RE value into an instruction, from plain numbers.

Which instructions may hold one, and what happens when a field's size differs, is the behaviour of
libbpf 1.6 and Linux 6.18 (relo_core.c).
"""

from __future__ import annotations

from bpfctl.asm import insn as asm
from bpfctl.asm.insn import Insn
from bpfctl.errors import RelocationError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# The number of the helper that a poisoned instruction calls ("bad relo"). When the instruction is
# reached, every kernel's verifier says "invalid func unknown#195896080".
POISON_HELPER: Final = 0xBAD2310

_MAX_OFFSET: Final = 0x7FFF
_LOW32: Final = 0xFFFF_FFFF
_LOW64: Final = 0xFFFF_FFFF_FFFF_FFFF
_MOVABLE: Final = frozenset({asm.BPF_MEM, asm.BPF_MEMSX, asm.BPF_ATOMIC})


@plain
class Patch:
    """A value for one instruction.

    `original` is the value that must stand there now, None to take any. `value_bits` is 32 for a
    number whose sign is unknown and then follows the instruction's. `memory` is the size in bytes
    that loads and stores of the field have (here, in the kernel) when the two differ, and
    `adjustable` whether an instruction may be changed from one to the other.
    `symbol` words what the value is, for messages.
    """

    value: int
    original: int | None = None
    value_bits: int = 64
    memory: tuple[int, int] | None = None
    adjustable: bool = False
    symbol: str = ""


def apply(code: bytearray, insn_index: int, patch: Patch, order: str = "<") -> bool:
    """Write a value into slot `insn_index`; False when the instruction was poisoned instead.

    It is poisoned when it loads or stores a field whose size differs and may not be adjusted.
    Raises: RelocationError when the instruction does not hold the expected value, cannot hold the
    new one, or is of a class that no compiler relocates.
    """
    insn = _read(code, insn_index, order, patch)
    match insn.instruction_class:
        case asm.BPF_ALU | asm.BPF_ALU64 if not insn.opcode & asm.BPF_X:
            changed = _alu(insn, insn_index, patch)
        case asm.BPF_LDX | asm.BPF_ST | asm.BPF_STX if insn.opcode & 0xE0 in _MOVABLE:
            changed = _memory(insn, insn_index, patch)
            if patch.memory and not patch.adjustable:
                poison(code, insn_index, order)
                return False
        case asm.BPF_LD if insn.is_ld_imm64:
            _write_imm64(code, insn_index, insn, patch, order)
            return True
        case _:
            raise _error(
                f"cannot hold a CO-RE value (opcode {insn.opcode:#04x})", insn_index, patch
            )
    asm.write(code, insn_index, changed, order)
    return True


def poison(code: bytearray, insn_index: int, order: str = "<") -> None:
    """Make an instruction one that no program may reach: a call of a helper that is none.

    Both slots of an ld_imm64 are replaced. Raises: RelocationError when the code ends before.
    """
    call = Insn(asm.BPF_CALL_IMM, imm=POISON_HELPER)
    wide = _read(code, insn_index, order, None).is_ld_imm64
    if wide:
        _read(code, insn_index + 1, order, None)
        asm.write(code, insn_index + 1, call, order)
    asm.write(code, insn_index, call, order)


def is_poison(insn: Insn) -> bool:
    """Whether an instruction was made by `poison`."""
    return insn.is_helper_call and insn.imm == POISON_HELPER


def _alu(insn: Insn, insn_index: int, patch: Patch) -> Insn:
    if patch.original is not None and (insn.imm ^ patch.original) & _LOW32:
        raise _unexpected(insn.imm, insn_index, patch)
    fits = -0x8000_0000 <= patch.value <= 0x7FFF_FFFF
    if insn.instruction_class == asm.BPF_ALU or patch.value_bits == 32:
        fits = fits or patch.value <= _LOW32
    if not fits:
        raise _error(f"cannot hold {patch.value}: it has 32 bits", insn_index, patch)
    return insn._replace(imm=asm.signed32(patch.value))


def _memory(insn: Insn, insn_index: int, patch: Patch) -> Insn:
    if patch.original is not None and insn.off != patch.original:
        raise _unexpected(insn.off, insn_index, patch)
    if not 0 <= patch.value <= _MAX_OFFSET:
        raise _error(f"cannot hold offset {patch.value}: it has 16 bits", insn_index, patch)
    insn = insn._replace(off=patch.value)
    return _resized(insn, insn_index, patch) if patch.memory and patch.adjustable else insn


def _resized(insn: Insn, insn_index: int, patch: Patch) -> Insn:
    """Let a load or store move as many bytes as the field has in the kernel."""
    assert patch.memory
    local_bytes, target_bytes = patch.memory
    moved_bytes = asm.SIZE_BYTES[insn.opcode & 0x18]
    if moved_bytes != local_bytes:
        words = f"moves {moved_bytes} bytes of a field of {local_bytes}"
        raise _error(f"{words}, which has {target_bytes} in the kernel", insn_index, patch)
    if target_bytes not in asm.SIZE_CODES:
        raise _error(f"cannot move {target_bytes} bytes at once", insn_index, patch)
    return insn._replace(opcode=insn.opcode & ~0x18 | asm.SIZE_CODES[target_bytes])


def _write_imm64(code: bytearray, insn_index: int, first: Insn, patch: Patch, order: str) -> None:
    second = _read(code, insn_index + 1, order, patch)
    if first.src or first.off or second._replace(imm=0) != Insn(0):
        raise _error("is no plain 64-bit constant", insn_index, patch)
    now = asm.imm64(first, second)
    mask = _LOW32 if patch.value_bits == 32 else _LOW64
    if patch.original is not None and (now ^ patch.original) & mask:
        raise _unexpected(now, insn_index, patch)
    value = patch.value
    if patch.value_bits == 32 and now >> 31 == 0x1_FFFF_FFFF:
        value = asm.signed32(value)  # the compiler took the constant for a negative one
    for position, insn in enumerate(asm.ld_imm64(first.dst, value)):
        asm.write(code, insn_index + position, insn, order)


def _read(code: bytearray, insn_index: int, order: str, patch: Patch | None) -> Insn:
    try:
        return asm.unpack(code, insn_index, order)
    except IndexError:
        raise _error("lies behind the end of the program", insn_index, patch) from None


def _unexpected(now: int, insn_index: int, patch: Patch) -> RelocationError:
    return _error(f"holds {now} instead of {patch.original}", insn_index, patch)


def _error(message: str, insn_index: int, patch: Patch | None) -> RelocationError:
    symbol = patch.symbol if patch else ""
    about = f" ({symbol})" if symbol else ""
    return RelocationError(
        f"CO-RE: instruction {insn_index} {message}{about}",
        code="core-instruction",
        insn_index=insn_index,
        symbol=symbol or None,
    )
