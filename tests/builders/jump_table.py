"""An object with a jump table, as LLVM makes one of a switch (no released compiler does yet)."""

from __future__ import annotations

import struct

from bpfctl.asm.insn import BPF_CALL_IMM, BPF_PSEUDO_CALL, Insn, encode, ld_imm64
from tests.builders.elf import ALLOC, EXEC, EXIT, FUNC, LOCAL, OBJECT, ElfBuilder

LESSER, GREATER = 10, 20
TABLE_LOAD = 3  # the instruction of `chooser` that loads the address of the table
CHOICES = (8, 10)  # where the table leads to

# Returns LESSER for packets of an even length and GREATER for others.
CHOOSER = encode(
    [
        Insn(0x61, 0, 1),  # r0 = packet length
        Insn(0x57, 0, imm=1),  # r0 &= 1
        Insn(0x67, 0, imm=3),  # r0 <<= 3
        *ld_imm64(2, 0),  # r2 = table
        Insn(0x0F, 2, 0),  # r2 += r0
        Insn(0x79, 2, 2),  # r2 = *(u64 *)r2
        Insn(0x0D, 2),  # goto *r2
        Insn(0xB7, 0, imm=LESSER),
        Insn(0x95),
        Insn(0xB7, 0, imm=GREATER),
        Insn(0x95),
    ]
)
MAIN = encode([Insn(BPF_CALL_IMM, src=BPF_PSEUDO_CALL, imm=-1), Insn(0x95)])


def with_jump_table(
    *places: int, start: int = 0, size: int | None = None, table_bytes: int | None = None
) -> bytes:
    """Make the object: `chooser` is the second function of .text, `places` are the table's.

    `start` and `size` are what the symbol of the table says, `table_bytes` what is in the file.
    """
    entries = places or tuple(len(EXIT) + 8 * index for index in CHOICES)
    table = struct.pack(f"<{len(entries)}Q", *entries)
    builder = ElfBuilder()
    main = builder.function("main", "tc", MAIN)
    text = builder.section(".text", EXIT + CHOOSER, flags=ALLOC | EXEC)
    builder.symbol("unused", text, 0, len(EXIT), type=FUNC, bind=LOCAL)
    chooser = builder.symbol("chooser", text, len(EXIT), len(CHOOSER), type=FUNC, bind=LOCAL)
    tables = builder.section(".jumptables", table[:table_bytes])
    length = len(table) if size is None else size
    name = builder.symbol("BPF.JT.0.0", tables, start, length, type=OBJECT, bind=LOCAL)
    builder.relocation(main, 0, chooser, 10)
    builder.relocation(text, len(EXIT) + 8 * TABLE_LOAD, name, 1)
    builder.section("license", b"GPL\0", flags=ALLOC)
    return builder.build()
