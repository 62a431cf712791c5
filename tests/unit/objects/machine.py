"""A machine for BPF code that needs no kernel: enough of one for programs without loops."""

from __future__ import annotations

from typing import Final

from bpfctl.asm import insn as i
from bpfctl.kernel.uapi_helpers import HelperId

STACK: Final = 0x7000_0000_0000
STACK_BYTES: Final = 512
_MASK: Final = 2**64 - 1


class Memory:
    """Bytes at addresses; what was never written is not there, and reads as zero."""

    def __init__(self) -> None:
        self._bytes: dict[int, int] = {}

    def write(self, address: int, data: bytes) -> None:
        self._bytes.update((address + at, byte) for at, byte in enumerate(data))

    def number(self, address: int, value: int, size: int = 8) -> None:
        self.write(address, value.to_bytes(size, "little"))

    def read(self, address: int, size: int) -> bytes:
        return bytes(self._bytes.get(address + at, 0) for at in range(size))


class Machine:
    """Runs a program once; `written` is what it gave to bpf_seq_write, each with its target."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.registers = [0] * 11
        self.written: list[tuple[int, bytes]] = []

    def run(self, code: bytes, context: int) -> int:
        insns, at = i.decode(code), 0
        self.registers[1], self.registers[10] = context, STACK + STACK_BYTES
        while insns[at].opcode != i.BPF_EXIT_INSN:
            at += self._step(insns, at)
        return self.registers[0]

    def _step(self, insns: list[i.Insn], at: int) -> int:
        insn, r = insns[at], self.registers
        match insn.instruction_class:
            case i.BPF_LD:
                r[insn.dst] = i.imm64(insn, insns[at + 1])
                return 2
            case i.BPF_LDX | i.BPF_ST | i.BPF_STX:
                self._access(insn)
            case i.BPF_ALU64:
                value = r[insn.src] if insn.opcode & i.BPF_X else insn.imm
                base = {0x00: r[insn.dst], 0xB0: 0}[insn.opcode & 0xF0]
                r[insn.dst] = base + value & _MASK
            case i.BPF_JMP if insn.opcode == i.BPF_CALL_IMM:
                self._call(HelperId(insn.imm))
            case i.BPF_JMP:
                value = r[insn.src] if insn.opcode & i.BPF_X else insn.imm & _MASK
                same = r[insn.dst] == value
                taken = {0x00: True, 0x10: same, 0x50: not same}[insn.opcode & 0xF0]
                return 1 + insn.off * taken
        return 1

    def _access(self, insn: i.Insn) -> None:
        size, r = i.SIZE_BYTES[insn.opcode & 0x18], self.registers
        if insn.instruction_class == i.BPF_LDX:
            data = self.memory.read(r[insn.src] + insn.off, size)
            r[insn.dst] = int.from_bytes(data, "little")
            return
        value = insn.imm if insn.instruction_class == i.BPF_ST else r[insn.src]
        bits = value & 2 ** (8 * size) - 1
        self.memory.number(r[insn.dst] + insn.off, bits, size)

    def _call(self, helper: HelperId) -> None:
        first, second, third = self.registers[1:4]
        self.registers[1:6] = [0xDEAD_BEEF] * 5  # a helper may spoil them
        if helper is HelperId.seq_write:
            self.written.append((first, self.memory.read(second, third)))
            return
        data = self.memory.read(third, second)
        if helper is HelperId.probe_read_kernel_str:
            data = data[: second - 1].partition(b"\0")[0] + b"\0"
        else:
            assert helper is HelperId.probe_read_kernel
        self.memory.write(first, data)
