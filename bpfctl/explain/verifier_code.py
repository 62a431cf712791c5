"""What one instruction does to a register or to a stack slot. Pure."""

from __future__ import annotations

from bpfctl.asm import insn as asm
from bpfctl.plain_enum import Enum
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.asm.insn import Insn

_MOV, _CALL_OP, _EXIT_OP, _JA = 0xB0, asm.BPF_CALL, asm.BPF_EXIT, 0x00
_ADD, _SUB = 0x00, 0x10
_OP, _MODE, _SIZE = 0xF0, 0xE0, 0x18
FRAME_POINTER: Final = 10
ARGUMENTS: Final = range(1, 6)


class Does(Enum):
    """How an instruction makes a value."""

    COPY = "copy"  # of register `source`
    FILL = "fill"  # from the stack at `offset`
    LOAD = "load"  # from memory at `source` plus `offset`
    CHANGE = "change"  # of the register itself
    CONSTANT = "constant"  # the number `offset`
    ADDRESS = "address"  # ld_imm64
    CALL = "call"  # what a call returns
    DESTROY = "destroy"  # by a call
    CALLBACK = "callback"  # argument of a function that a helper calls back


class Effect(NamedTuple):
    """What an instruction makes a value of."""

    does: Does
    source: int = 0
    offset: int = 0


def on_register(insn: Insn, register: int) -> Effect | None:
    """What `insn` does to a register; None: it leaves it as it is."""
    kind = insn.instruction_class
    if insn.opcode == asm.BPF_CALL_IMM or _is_call(insn):
        if register == 0:
            return Effect(Does.CALL)
        return Effect(Does.DESTROY) if register in ARGUMENTS else None
    if kind == asm.BPF_LD:
        return _ld(insn, register)
    if insn.dst != register:
        return None
    if kind == asm.BPF_LDX:
        filled = insn.src == FRAME_POINTER
        return Effect(Does.FILL if filled else Does.LOAD, insn.src, insn.off)
    if kind in (asm.BPF_ALU, asm.BPF_ALU64):
        return _alu(insn)
    return None


def _ld(insn: Insn, register: int) -> Effect | None:
    if insn.is_ld_imm64:
        return Effect(Does.ADDRESS) if insn.dst == register else None
    return Effect(Does.LOAD, 6) if register == 0 else None  # the old packet load


def _alu(insn: Insn) -> Effect:
    if insn.opcode & _OP != _MOV:
        return Effect(Does.CHANGE)
    if insn.opcode & asm.BPF_X:
        return Effect(Does.COPY, insn.src)
    return Effect(Does.CONSTANT, offset=insn.imm)


def on_slot(insn: Insn, offset: int) -> Effect | None:
    """What `insn` does to the stack slot at `offset` from the frame pointer, stored through it."""
    if insn.dst != FRAME_POINTER or insn.off != offset:
        return None
    if insn.instruction_class == asm.BPF_STX and insn.opcode & _MODE == asm.BPF_MEM:
        return Effect(Does.COPY, insn.src)
    if insn.instruction_class == asm.BPF_ST:
        return Effect(Does.CONSTANT, offset=insn.imm)
    return None


def added(insn: Insn) -> int | None:
    """The register that is added to (or taken from) another; None for anything else."""
    if insn.instruction_class not in (asm.BPF_ALU, asm.BPF_ALU64) or not insn.opcode & asm.BPF_X:
        return None
    return insn.src if insn.opcode & _OP in (_ADD, _SUB) else None


def compared(insn: Insn) -> frozenset[int]:
    """The registers that a conditional jump compares; none for anything else."""
    op = insn.opcode & _OP
    if insn.instruction_class not in (asm.BPF_JMP, asm.BPF_JMP32):
        return frozenset()
    if op in (_JA, _CALL_OP, _EXIT_OP):
        return frozenset()
    return frozenset({insn.dst, insn.src} if insn.opcode & asm.BPF_X else {insn.dst})


def access(insn: Insn) -> str:
    """What an instruction does, in words for the place where it was refused; "" for the rest."""
    kind, size = insn.instruction_class, asm.SIZE_BYTES.get(insn.opcode & _SIZE, 0)
    if kind == asm.BPF_LDX:
        return f"{size}-byte read through R{insn.src}"
    if kind in (asm.BPF_ST, asm.BPF_STX):
        atomic = insn.opcode & _MODE == asm.BPF_ATOMIC
        return f"{size}-byte {'atomic operation' if atomic else 'write'} through R{insn.dst}"
    if insn.opcode == asm.BPF_EXIT_INSN:
        return "return"
    return ""


def _is_call(insn: Insn) -> bool:
    return insn.instruction_class == asm.BPF_JMP and insn.opcode & _OP == _CALL_OP
