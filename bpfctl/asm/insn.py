"""BPF instructions as numbers: pack, unpack, and find those that refer to something.

Every instruction fills one slot of 8 bytes; only ld_imm64 fills two, and an instruction index
counts slots. Source: include/uapi/linux/bpf.h and bpf_common.h (Linux 6.18),
Documentation/bpf/standardization/instruction-set.rst (RFC 9669).
"""

from __future__ import annotations

import struct

from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

SLOT_BYTES: Final = 8

# Instruction classes: the low three bits of the opcode.
BPF_LD: Final = 0x00
BPF_LDX: Final = 0x01
BPF_ST: Final = 0x02
BPF_STX: Final = 0x03
BPF_ALU: Final = 0x04
BPF_JMP: Final = 0x05
BPF_JMP32: Final = 0x06
BPF_ALU64: Final = 0x07

# Sizes and modes of loads and stores.
BPF_W: Final = 0x00
BPF_H: Final = 0x08
BPF_B: Final = 0x10
BPF_DW: Final = 0x18
BPF_IMM: Final = 0x00
BPF_ABS: Final = 0x20
BPF_IND: Final = 0x40
BPF_MEM: Final = 0x60
BPF_MEMSX: Final = 0x80
BPF_ATOMIC: Final = 0xC0

# Operand source of ALU and jump instructions: the immediate or the source register.
BPF_K: Final = 0x00
BPF_X: Final = 0x08

BPF_CALL: Final = 0x80
BPF_EXIT: Final = 0x90

# Whole opcodes that a loader looks for.
BPF_LD_IMM64: Final = BPF_LD | BPF_DW | BPF_IMM
BPF_CALL_IMM: Final = BPF_JMP | BPF_CALL
BPF_EXIT_INSN: Final = BPF_JMP | BPF_EXIT

# What the source register field of ld_imm64 says about its immediate.
BPF_PSEUDO_MAP_FD: Final = 1
BPF_PSEUDO_MAP_VALUE: Final = 2
BPF_PSEUDO_BTF_ID: Final = 3
BPF_PSEUDO_FUNC: Final = 4
BPF_PSEUDO_MAP_IDX: Final = 5
BPF_PSEUDO_MAP_IDX_VALUE: Final = 6

# What the source register field of a call says about its immediate; 0 is a helper.
BPF_PSEUDO_CALL: Final = 1
BPF_PSEUDO_KFUNC_CALL: Final = 2

SIZE_BYTES: Final = {BPF_B: 1, BPF_H: 2, BPF_W: 4, BPF_DW: 8}
SIZE_CODES: Final = {1: BPF_B, 2: BPF_H, 4: BPF_W, 8: BPF_DW}

# opcode, both registers in one byte, off, imm; in both byte orders.
_LAYOUT: Final = {"<": struct.Struct("<BBhi"), ">": struct.Struct(">BBhi")}


class Insn(NamedTuple):
    """One slot: `off` and `imm` are signed, `dst` and `src` register numbers (or pseudo kinds)."""

    opcode: int
    dst: int = 0
    src: int = 0
    off: int = 0
    imm: int = 0

    def pack(self, order: str = "<") -> bytes:
        """Give the 8 bytes of the slot; `order` is "<" or ">", which also swaps the registers."""
        low, high = (self.dst, self.src) if order == "<" else (self.src, self.dst)
        return _LAYOUT[order].pack(self.opcode, high << 4 | low, self.off, signed32(self.imm))

    @property
    def instruction_class(self) -> int:
        """The class, BPF_LD to BPF_ALU64."""
        return self.opcode & 0x07

    @property
    def is_ld_imm64(self) -> bool:
        """Whether the next slot belongs to this instruction."""
        return self.opcode == BPF_LD_IMM64

    @property
    def is_helper_call(self) -> bool:
        """Whether it calls helper number `imm`."""
        return self.opcode == BPF_CALL_IMM and self.src == 0

    @property
    def is_subprogram_call(self) -> bool:
        """Whether it calls another function of the program: `imm` counts slots from the next."""
        return self.opcode == BPF_CALL_IMM and self.src == BPF_PSEUDO_CALL

    @property
    def is_kfunc_call(self) -> bool:
        """Whether it calls a kernel function: `imm` is its BTF id, `off` picks the module."""
        return self.opcode == BPF_CALL_IMM and self.src == BPF_PSEUDO_KFUNC_CALL

    @property
    def is_function_address(self) -> bool:
        """Whether it loads the address of another function of the program."""
        return self.opcode == BPF_LD_IMM64 and self.src == BPF_PSEUDO_FUNC


def unpack(code: bytes | bytearray | memoryview, index: int = 0, order: str = "<") -> Insn:
    """Give the instruction in slot `index`. Raises: IndexError when the code ends before."""
    start = index * SLOT_BYTES
    if index < 0 or start + SLOT_BYTES > len(code):
        raise IndexError(f"no instruction {index} in {len(code)} bytes of code")
    opcode, registers, off, imm = _LAYOUT[order].unpack_from(code, start)
    low, high = registers & 0x0F, registers >> 4
    return Insn(opcode, *((low, high) if order == "<" else (high, low)), off, imm)


def decode(code: bytes | bytearray | memoryview, order: str = "<") -> list[Insn]:
    """Give all slots; the second slot of an ld_imm64 is an `Insn` with opcode 0.

    Raises: ValueError when the size is no multiple of 8 bytes.
    """
    if len(code) % SLOT_BYTES:
        raise ValueError(f"{len(code)} bytes of code are not a multiple of {SLOT_BYTES}")
    code = bytes(code)  # no view, see _rows in bpfctl/btf/ext.py
    if order == "<":
        rows = _LAYOUT["<"].iter_unpack(code)
        return [Insn(op, regs & 0x0F, regs >> 4, off, imm) for op, regs, off, imm in rows]
    rows = _LAYOUT[">"].iter_unpack(code)
    return [Insn(op, regs >> 4, regs & 0x0F, off, imm) for op, regs, off, imm in rows]


def encode(insns: list[Insn], order: str = "<") -> bytes:
    """Give the bytes of several slots."""
    return b"".join([insn.pack(order) for insn in insns])


def write(code: bytearray, index: int, insn: Insn, order: str = "<") -> None:
    """Replace slot `index`. Raises: IndexError when the code ends before."""
    start = index * SLOT_BYTES
    if index < 0 or start + SLOT_BYTES > len(code):
        raise IndexError(f"no instruction {index} in {len(code)} bytes of code")
    code[start : start + SLOT_BYTES] = insn.pack(order)


def ld_imm64(dst: int, value: int, src: int = 0) -> tuple[Insn, Insn]:
    """Give both slots that load the 64 bits of `value`, read as the pseudo kind `src` says."""
    bits = value & 0xFFFF_FFFF_FFFF_FFFF
    first = Insn(BPF_LD_IMM64, dst, src, 0, signed32(bits))
    return first, Insn(0, imm=signed32(bits >> 32))


def imm64(first: Insn, second: Insn) -> int:
    """Give the 64 bits, unsigned, that the two slots of an ld_imm64 hold."""
    return (second.imm & 0xFFFF_FFFF) << 32 | first.imm & 0xFFFF_FFFF


def find_opcode(code: bytes | bytearray, opcode: int) -> Iterator[int]:
    """Yield the slots with that opcode, ascending, without decoding the others.

    Second slots of ld_imm64 have opcode 0 and so match no opcode a loader looks for.
    """
    opcodes = bytes(code[::SLOT_BYTES])
    at = opcodes.find(opcode)
    while at >= 0:
        yield at
        at = opcodes.find(opcode, at + 1)


def references(code: bytes | bytearray, order: str = "<") -> list[tuple[int, Insn]]:
    """Give every ld_imm64 and every call by immediate with its slot, ascending.

    These are the only instructions that can refer to maps, data, functions and helpers.
    """
    found = sorted([*find_opcode(code, BPF_LD_IMM64), *find_opcode(code, BPF_CALL_IMM)])
    return [(at, unpack(code, at, order)) for at in found]


def signed32(value: int) -> int:
    """Give the low 32 bits of `value` as a signed number, as `imm` holds them."""
    return (value + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
