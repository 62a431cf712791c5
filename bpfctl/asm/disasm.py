"""One instruction as text, in the words that the kernel's verifier uses in its log.

Source of the words: verifier logs and `bpftool prog dump xlated` of Linux 6.18; of the opcodes:
Documentation/bpf/standardization/instruction-set.rst (RFC 9669) and include/linux/filter.h.
"""

from __future__ import annotations

from bpfctl.asm import insn as asm
from bpfctl.asm.disasm_atomic import atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from bpfctl.asm.insn import Insn

_ALU_SIGNS: Final = {
    0x00: "+=",
    0x10: "-=",
    0x20: "*=",
    0x30: "/=",
    0x40: "|=",
    0x50: "&=",
    0x60: "<<=",
    0x70: ">>=",
    0x90: "%=",
    0xA0: "^=",
    0xB0: "=",
    0xC0: "s>>=",
}
_DIV, _NEG, _MOD, _MOV, _END = 0x30, 0x80, 0x90, 0xB0, 0xD0

_JUMP_SIGNS: Final = {
    0x10: "==",
    0x20: ">",
    0x30: ">=",
    0x40: "&",
    0x50: "!=",
    0x60: "s>",
    0x70: "s>=",
    0xA0: "<",
    0xB0: "<=",
    0xC0: "s<",
    0xD0: "s<=",
}
_JA, _JCOND = 0x00, 0xE0

_SIGN_EXTENDED_BITS: Final = (8, 16, 32)
_ADDR_SPACE_CAST: Final = 1  # `off` of a 64-bit register move, from Linux 6.9
_ADDR_PERCPU: Final = -1  # the same, only ever made by the kernel itself
_NOSPEC: Final = asm.BPF_ST | 0xC0  # made by the kernel itself


def disassemble(insn: Insn, second: Insn | None = None) -> str:
    """Write one instruction; `second` is the next slot, which an ld_imm64 needs for its value.

    What no kernel knows is written as ".insn 0x" and the slot's bytes.
    """
    return _BY_CLASS[insn.instruction_class](insn, second) or f".insn 0x{insn.pack().hex()}"


def listing(code: bytes, order: str = "<") -> Iterator[tuple[int, str]]:
    """Yield the slot and the text of every instruction. Raises: ValueError for odd sizes."""
    insns = asm.decode(code, order)
    skip = False
    for index, insn in enumerate(insns):
        if skip:
            skip = False
            continue
        second = insns[index + 1] if index + 1 < len(insns) else None
        skip = insn.is_ld_imm64 and second is not None
        yield index, disassemble(insn, second)


def helper_name(number: int) -> str:
    """The name of a helper ("bpf_map_lookup_elem"), "unknown" for a number newer than ours."""
    from bpfctl.kernel.uapi_helpers import HelperId

    try:
        return f"bpf_{HelperId(number).name.lower()}"
    except ValueError:
        return "unknown"


def _alu(insn: Insn, _second: Insn | None) -> str | None:
    operation, wide = insn.opcode & 0xF0, insn.instruction_class == asm.BPF_ALU64
    letter = "r" if wide else "w"
    target = f"{letter}{insn.dst}"
    by_register = bool(insn.opcode & asm.BPF_X)
    if operation == _END:
        return _byte_swap(insn, wide=wide)
    if operation == _NEG:
        return None if by_register else f"{target} = -{target}"
    if operation == _MOV and by_register and insn.off:
        return _special_move(insn, letter)
    sign = _ALU_SIGNS.get(operation)
    if sign is None:
        return None
    if insn.off:
        if operation not in (_DIV, _MOD) or insn.off != 1:
            return None
        sign = f"s{sign}"
    return f"{target} {sign} {f'{letter}{insn.src}' if by_register else insn.imm}"


def _byte_swap(insn: Insn, *, wide: bool) -> str | None:
    if insn.imm not in (16, 32, 64) or (wide and insn.opcode & asm.BPF_X):
        return None
    to_big = insn.opcode & asm.BPF_X
    word = "bswap" if wide else "be" if to_big else "le"
    return f"r{insn.dst} = {word}{insn.imm} r{insn.dst}"


def _special_move(insn: Insn, letter: str) -> str | None:
    if insn.off in _SIGN_EXTENDED_BITS and (letter, insn.off) != ("w", 32):
        return f"{letter}{insn.dst} = (s{insn.off}){letter}{insn.src}"
    if letter == "r" and insn.off == _ADDR_SPACE_CAST:
        to, origin = insn.imm >> 16 & 0xFFFF, insn.imm & 0xFFFF
        return f"r{insn.dst} = addr_space_cast(r{insn.src}, {to}, {origin})"
    if letter == "r" and insn.off == _ADDR_PERCPU:
        return f"r{insn.dst} = &(void __percpu *)(r{insn.src})"
    return None


def _jump(insn: Insn, _second: Insn | None) -> str | None:
    operation, short = insn.opcode & 0xF0, insn.instruction_class == asm.BPF_JMP32
    by_register = bool(insn.opcode & asm.BPF_X)
    if operation == _JA:
        if by_register:
            return None if short else f"gotox r{insn.dst}"
        return f"gotol pc{insn.imm:+d}" if short else f"goto pc{insn.off:+d}"
    sign = _JUMP_SIGNS.get(operation)
    if sign:
        letter = "w" if short else "r"
        other = f"{letter}{insn.src}" if by_register else f"{insn.imm & 0xFFFF_FFFF:#x}"
        return f"if {letter}{insn.dst} {sign} {other} goto pc{insn.off:+d}"
    return None if short else _call_or_exit(insn, operation, by_register=by_register)


def _call_or_exit(insn: Insn, operation: int, *, by_register: bool) -> str | None:
    if operation == asm.BPF_CALL:
        return f"callx r{insn.dst}" if by_register else _call(insn)
    if by_register:
        return None
    if operation == asm.BPF_EXIT:
        return "exit"
    return f"may_goto pc{insn.off:+d}" if operation == _JCOND else None


def _call(insn: Insn) -> str | None:
    if insn.src == asm.BPF_PSEUDO_CALL:
        return f"call pc{insn.imm:+d}"
    if insn.src == asm.BPF_PSEUDO_KFUNC_CALL:
        return f"call kernel-function#{insn.imm}"
    return f"call {helper_name(insn.imm)}#{insn.imm}" if insn.src == 0 else None


def _load(insn: Insn, _second: Insn | None) -> str | None:
    mode, bits = insn.opcode & 0xE0, _bits(insn)
    if mode == asm.BPF_MEM or (mode == asm.BPF_MEMSX and bits != 64):
        letter = "u" if mode == asm.BPF_MEM else "s"
        return f"r{insn.dst} = *({letter}{bits} *)(r{insn.src} {insn.off:+d})"
    return None


def _store(insn: Insn, _second: Insn | None) -> str | None:
    if insn.opcode & 0xE0 == asm.BPF_MEM:
        return f"*(u{_bits(insn)} *)(r{insn.dst} {insn.off:+d}) = {insn.imm}"
    return "nospec" if insn.opcode == _NOSPEC else None


def _store_register(insn: Insn, _second: Insn | None) -> str | None:
    mode = insn.opcode & 0xE0
    if mode == asm.BPF_MEM:
        return f"*(u{_bits(insn)} *)(r{insn.dst} {insn.off:+d}) = r{insn.src}"
    return atomic(insn, _bits(insn)) if mode == asm.BPF_ATOMIC else None


def _load_special(insn: Insn, second: Insn | None) -> str | None:
    mode = insn.opcode & 0xE0
    if insn.is_ld_imm64:
        return f"r{insn.dst} = {_wide(insn, second)}" if second else None
    if mode == asm.BPF_ABS and _bits(insn) != 64:
        return f"r0 = *(u{_bits(insn)} *)skb[{insn.imm}]"
    if mode == asm.BPF_IND and _bits(insn) != 64:
        return f"r0 = *(u{_bits(insn)} *)skb[r{insn.src} + {insn.imm}]"
    return None


def _wide(insn: Insn, second: Insn) -> str:
    """What an ld_imm64 loads; the numbers of pseudo kinds as the loader wrote them."""
    match insn.src:
        case asm.BPF_PSEUDO_MAP_FD:
            return f"map[fd:{insn.imm}]"
        case asm.BPF_PSEUDO_MAP_VALUE:
            return f"map[fd:{insn.imm}][0]{second.imm:+d}"
        case asm.BPF_PSEUDO_MAP_IDX:
            return f"map[idx:{insn.imm}]"
        case asm.BPF_PSEUDO_MAP_IDX_VALUE:
            return f"map[idx:{insn.imm}][0]{second.imm:+d}"
        case asm.BPF_PSEUDO_BTF_ID:
            return f"ksym[btf_id:{insn.imm}]"
        case asm.BPF_PSEUDO_FUNC:
            return f"subprog[{insn.imm:+d}]"
        case _:
            return f"{asm.imm64(insn, second):#x}"


def _bits(insn: Insn) -> int:
    return asm.SIZE_BYTES[insn.opcode & 0x18] * 8


_BY_CLASS: Final[tuple[Callable[[Insn, Insn | None], str | None], ...]] = (
    _load_special,
    _load,
    _store,
    _store_register,
    _alu,
    _jump,
    _jump,
    _alu,
)
