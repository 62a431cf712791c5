"""Instructions and the words for them: for the unit test, and for the kernel to confirm."""

from __future__ import annotations

from bpfctl.asm.insn import Insn, ld_imm64

ALU64, ALU32, JMP, JMP32 = 0x07, 0x04, 0x05, 0x06
X = 0x08

# What a verifier prints in just these words before it looks at what the instruction does.
LOGGED: dict[str, Insn] = {
    # 64- and 32-bit arithmetic, with both operands
    "r1 += r2": Insn(0x0F, 1, 2),
    "r1 += 5": Insn(0x07, 1, imm=5),
    "w1 += w2": Insn(0x0C, 1, 2),
    "w1 += -5": Insn(0x04, 1, imm=-5),
    "r1 -= r2": Insn(0x1F, 1, 2),
    "r1 *= 7": Insn(0x27, 1, imm=7),
    "r1 /= r2": Insn(0x3F, 1, 2),
    "r1 /= 3": Insn(0x37, 1, imm=3),
    "w1 /= 3": Insn(0x34, 1, imm=3),
    "r1 |= 3": Insn(0x47, 1, imm=3),
    "r1 &= r2": Insn(0x5F, 1, 2),
    "r1 <<= 3": Insn(0x67, 1, imm=3),
    "w1 <<= 3": Insn(0x64, 1, imm=3),
    "r1 >>= r2": Insn(0x7F, 1, 2),
    "r1 %= r2": Insn(0x9F, 1, 2),
    "w1 %= 4": Insn(0x94, 1, imm=4),
    "r1 ^= 3": Insn(0xA7, 1, imm=3),
    "r1 = r2": Insn(0xBF, 1, 2),
    "w1 = w2": Insn(0xBC, 1, 2),
    "r1 = -3": Insn(0xB7, 1, imm=-3),
    "w1 = 3": Insn(0xB4, 1, imm=3),
    "r1 s>>= 3": Insn(0xC7, 1, imm=3),
    "w1 s>>= w2": Insn(0xCC, 1, 2),
    "r1 = -r1": Insn(0x87, 1),
    "w1 = -w1": Insn(0x84, 1),
    # byte order
    "r1 = le16 r1": Insn(0xD4, 1, imm=16),
    "r1 = be64 r1": Insn(0xDC, 1, imm=64),
    "r1 = bswap32 r1": Insn(0xD7, 1, imm=32),
    # signed division and moves (cpu v4)
    "r1 s/= r2": Insn(0x3F, 1, 2, off=1),
    "w1 s/= 3": Insn(0x34, 1, off=1, imm=3),
    "r1 s%= 3": Insn(0x97, 1, off=1, imm=3),
    "w1 s%= w2": Insn(0x9C, 1, 2, off=1),
    "r1 = (s8)r2": Insn(0xBF, 1, 2, off=8),
    "r1 = (s32)r2": Insn(0xBF, 1, 2, off=32),
    "w1 = (s16)w2": Insn(0xBC, 1, 2, off=16),
    # memory
    "r1 = *(u64 *)(r10 -8)": Insn(0x79, 1, 10, off=-8),
    "r1 = *(u32 *)(r2 +0)": Insn(0x61, 1, 2),
    "r1 = *(u16 *)(r2 +2)": Insn(0x69, 1, 2, off=2),
    "r1 = *(u8 *)(r2 +1)": Insn(0x71, 1, 2, off=1),
    "r1 = *(s32 *)(r10 -8)": Insn(0x81, 1, 10, off=-8),
    "r1 = *(s16 *)(r10 -8)": Insn(0x89, 1, 10, off=-8),
    "r1 = *(s8 *)(r10 -8)": Insn(0x91, 1, 10, off=-8),
    "*(u64 *)(r10 -8) = r1": Insn(0x7B, 10, 1, off=-8),
    "*(u8 *)(r10 -1) = r1": Insn(0x73, 10, 1, off=-1),
    "*(u32 *)(r10 -4) = -7": Insn(0x62, 10, off=-4, imm=-7),
    "*(u16 *)(r10 -2) = 7": Insn(0x6A, 10, off=-2, imm=7),
    # atomics
    "lock *(u64 *)(r10 -8) += r1": Insn(0xDB, 10, 1, off=-8, imm=0x00),
    "lock *(u32 *)(r10 -8) |= r1": Insn(0xC3, 10, 1, off=-8, imm=0x40),
    "lock *(u64 *)(r10 -8) &= r1": Insn(0xDB, 10, 1, off=-8, imm=0x50),
    "lock *(u64 *)(r10 -8) ^= r1": Insn(0xDB, 10, 1, off=-8, imm=0xA0),
    "r1 = atomic64_fetch_add((u64 *)(r10 -8), r1)": Insn(0xDB, 10, 1, off=-8, imm=0x01),
    "r1 = atomic_fetch_or((u32 *)(r10 -8), r1)": Insn(0xC3, 10, 1, off=-8, imm=0x41),
    "r1 = atomic64_fetch_and((u64 *)(r10 -8), r1)": Insn(0xDB, 10, 1, off=-8, imm=0x51),
    "r1 = atomic64_fetch_xor((u64 *)(r10 -8), r1)": Insn(0xDB, 10, 1, off=-8, imm=0xA1),
    "r1 = atomic64_xchg((u64 *)(r10 -8), r1)": Insn(0xDB, 10, 1, off=-8, imm=0xE1),
    "r0 = atomic_cmpxchg((u32 *)(r10 -8), r0, r1)": Insn(0xC3, 10, 1, off=-8, imm=0xF1),
    "r1 = load_acquire((u16 *)(r10 -8))": Insn(0xCB, 1, 10, off=-8, imm=0x100),
    "store_release((u64 *)(r10 -8), r1)": Insn(0xDB, 10, 1, off=-8, imm=0x110),
    # packets
    "r0 = *(u16 *)skb[12]": Insn(0x28, imm=12),
    "r0 = *(u32 *)skb[r1 + 4]": Insn(0x40, src=1, imm=4),
    # jumps
    "goto pc+0": Insn(0x05),
    "gotol pc+0": Insn(0x06),
    "if r1 == r2 goto pc+1": Insn(0x1D, 1, 2, off=1),
    "if r1 == 0x5 goto pc+1": Insn(0x15, 1, off=1, imm=5),
    "if r1 != 0xffffffff goto pc+1": Insn(0x55, 1, off=1, imm=-1),
    "if w1 > 0x5 goto pc+1": Insn(0x26, 1, off=1, imm=5),
    "if w1 >= w2 goto pc+1": Insn(0x3E, 1, 2, off=1),
    "if r1 & 0x5 goto pc+1": Insn(0x45, 1, off=1, imm=5),
    "if r1 s> 0x5 goto pc+1": Insn(0x65, 1, off=1, imm=5),
    "if r1 s>= r2 goto pc+1": Insn(0x7D, 1, 2, off=1),
    "if r1 < 0x5 goto pc+1": Insn(0xA5, 1, off=1, imm=5),
    "if w1 <= 0x5 goto pc+1": Insn(0xB6, 1, off=1, imm=5),
    "if r1 s< 0x5 goto pc+1": Insn(0xC5, 1, off=1, imm=5),
    "if w1 s<= w2 goto pc+1": Insn(0xDE, 1, 2, off=1),
    "may_goto pc+1": Insn(0xE5, off=1),
    # calls
    "call bpf_ktime_get_ns#5": Insn(0x85, imm=5),
    "call bpf_get_smp_processor_id#8": Insn(0x85, imm=8),
    "call unknown#195896080": Insn(0x85, imm=195896080),
    "exit": Insn(0x95),
}

# What no verifier prints: made by the kernel, refused before the log, or worded by it otherwise.
UNLOGGED: dict[str, Insn] = {
    "call pc+5": Insn(0x85, src=1, imm=5),
    "call kernel-function#1234": Insn(0x85, src=2, imm=1234),
    "callx r3": Insn(0x8D, 3),
    "gotox r3": Insn(0x0D, 3),
    "goto pc-3": Insn(0x05, off=-3),
    "gotol pc-100000": Insn(0x06, imm=-100000),
    "r1 = addr_space_cast(r2, 0, 1)": Insn(0xBF, 1, 2, off=1, imm=1),
    "r1 = &(void __percpu *)(r2)": Insn(0xBF, 1, 2, off=-1),
    "nospec": Insn(0xC2),
}

WIDE: dict[str, tuple[Insn, Insn]] = {
    "r1 = 0x0": ld_imm64(1, 0),
    "r1 = 0x80000001": ld_imm64(1, 0x80000001),
    "r9 = 0xffffffffffffffff": ld_imm64(9, -1),
}

# What the loader wrote instead of an address, before the kernel puts one there.
REFERENCES: dict[str, tuple[Insn, Insn]] = {
    "r1 = map[fd:7]": ld_imm64(1, 7, src=1),
    "r1 = map[fd:7][0]+16": ld_imm64(1, 16 << 32 | 7, src=2),
    "r1 = ksym[btf_id:99]": ld_imm64(1, 99, src=3),
    "r1 = subprog[+6]": ld_imm64(1, 6, src=4),
    "r1 = map[idx:2]": ld_imm64(1, 2, src=5),
    "r1 = map[idx:2][0]+0": ld_imm64(1, 2, src=6),
}

NO_INSTRUCTION: list[Insn] = [
    Insn(0x00),
    Insn(0x18),  # without its second slot
    Insn(0x38),
    Insn(0x58),
    Insn(0x99),
    Insn(0xA1),
    Insn(0x42),
    Insn(0xC7 | 0x20),
    Insn(0xD7, imm=8),
    Insn(0xDF, imm=16),
    Insn(0x8F),
    Insn(0x0F, off=1),
    Insn(0x37, off=2),
    Insn(0xBF, off=7),
    Insn(0xBC, off=32),
    Insn(0xBC, off=1),
    Insn(0x85, src=3),
    Insn(0x86),
    Insn(0x9D),
    Insn(0x0E),
    Insn(0xD3),
    Insn(0xDB, imm=0x10),
    Insn(0xDB, imm=0xE0),
    Insn(0xF5),
]
