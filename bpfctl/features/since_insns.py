"""Instructions that came after the first kernels with BPF, and when. Pure.

Source: Documentation/bpf/standardization/instruction-set.rst, and the commits that taught the
verifier each of them.
"""

from __future__ import annotations

from bpfctl.asm import insn as asm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.asm.insn import Insn

JMP32: Final = "32-bit jumps"
ATOMICS: Final = "atomic operations beyond add"
SIGNED: Final = "signed and sign-extending instructions"
BYTE_SWAP: Final = "unconditional byte swaps"
LONG_JUMP: Final = "jumps of 32 bits"
MAY_GOTO: Final = "may_goto"
CAST: Final = "address space casts"
ORDERED: Final = "load-acquire and store-release"
INDIRECT: Final = "indirect jumps"
CALLBACK: Final = "addresses of functions"
EXCEPTIONS: Final = "exceptions"  # a function that handles what a program throws

SINCE: Final = {
    JMP32: "5.1",
    ATOMICS: "5.12",
    CALLBACK: "5.13",
    SIGNED: "6.6",
    BYTE_SWAP: "6.6",
    LONG_JUMP: "6.6",
    EXCEPTIONS: "6.7",
    MAY_GOTO: "6.9",
    CAST: "6.9",
    ORDERED: "6.15",
    INDIRECT: "6.19",
}
_ADD: Final = 0x00
_DIV, _MOD, _MOV, _END = 0x30, 0x90, 0xB0, 0xD0
_CAST_OFF: Final = 1
_GOTOL, _JCOND, _GOTOX = 0x06, 0xE5, 0x0D
_ORDERED: Final = frozenset({0x100, 0x110})


def insn_features(code: bytes) -> dict[str, str]:
    """The sorts of newer instructions in code, and the first kernel of each."""
    found = {name for one in asm.decode(code) if (name := _feature(one))}
    return {name: since for name, since in SINCE.items() if name in found}


def _feature(insn: Insn) -> str:
    kind = insn.instruction_class
    if kind in (asm.BPF_JMP, asm.BPF_JMP32):
        special = {_GOTOL: LONG_JUMP, _JCOND: MAY_GOTO, _GOTOX: INDIRECT}.get(insn.opcode)
        return special or (JMP32 if kind == asm.BPF_JMP32 else "")
    if kind in (asm.BPF_ALU, asm.BPF_ALU64):
        return _alu(insn)
    mode = insn.opcode & 0xE0
    if kind == asm.BPF_STX and mode == asm.BPF_ATOMIC:
        return ORDERED if insn.imm in _ORDERED else ATOMICS if insn.imm != _ADD else ""
    if kind == asm.BPF_LDX and mode == asm.BPF_MEMSX:
        return SIGNED
    return CALLBACK if insn.is_function_address else ""


def _alu(insn: Insn) -> str:
    code = insn.opcode & 0xF0
    if code == _END and insn.instruction_class == asm.BPF_ALU64:
        return BYTE_SWAP
    if code == _MOV and insn.off:
        wide = insn.instruction_class == asm.BPF_ALU64 and insn.opcode & asm.BPF_X
        return CAST if wide and insn.off == _CAST_OFF else SIGNED
    return SIGNED if code in (_DIV, _MOD) and insn.off else ""
