"""Atomic instructions as text. Their operation is in the immediate.

Source: BPF_FETCH, BPF_XCHG, BPF_CMPXCHG (Linux 5.12), BPF_LOAD_ACQ and BPF_STORE_REL (6.15) in
include/uapi/linux/bpf.h; wording of verifier logs, Linux 6.18.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.asm.insn import Insn

FETCH: Final = 0x01
XCHG: Final = 0xE0 | FETCH
CMPXCHG: Final = 0xF0 | FETCH
LOAD_ACQ: Final = 0x100
STORE_REL: Final = 0x110

# Operation of the immediate: its sign, and its name when the old value is fetched.
_ARITHMETIC: Final = {
    0x00: ("+=", "add"),
    0x40: ("|=", "or"),
    0x50: ("&=", "and"),
    0xA0: ("^=", "xor"),
}


def atomic(insn: Insn, bits: int) -> str | None:
    """Write an atomic instruction on memory of `bits` bits; None for an operation there is not."""
    if insn.imm == LOAD_ACQ:
        return f"r{insn.dst} = load_acquire((u{bits} *)(r{insn.src} {insn.off:+d}))"
    memory = f"(u{bits} *)(r{insn.dst} {insn.off:+d})"
    if insn.imm == STORE_REL:
        return f"store_release({memory}, r{insn.src})"
    if bits < 32:
        return None
    prefix = "atomic64" if bits == 64 else "atomic"
    if insn.imm == CMPXCHG:
        return f"r0 = {prefix}_cmpxchg({memory}, r0, r{insn.src})"
    if insn.imm == XCHG:
        return f"r{insn.src} = {prefix}_xchg({memory}, r{insn.src})"
    found = _ARITHMETIC.get(insn.imm & ~FETCH)
    if found is None:
        return None
    sign, name = found
    if insn.imm & FETCH:
        return f"r{insn.src} = {prefix}_fetch_{name}({memory}, r{insn.src})"
    return f"lock *{memory} {sign} r{insn.src}"
