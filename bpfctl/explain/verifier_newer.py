"""Which instruction an older kernel does not know, and since when there is one that does. Pure.

Of most of these the verifier only says that reserved fields are used, and some it refuses before
it walks through the program, when it names no instruction.

Source: kernel/bpf/verifier.c, resolve_pseudo_ldimm64 and do_check of Linux 5.10 and 6.1;
Documentation/bpf/standardization/instruction-set.rst of Linux 7.3.
"""

from __future__ import annotations

import re

from bpfctl.asm import insn as asm
from bpfctl.explain.verifier_rule import Rule
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.verifier_messages import Match
    from bpfctl.rejected import ProgramCode

_HEADLINE: Final = "this kernel does not know {what} (since Linux {since})"
_V4: Final = "compile with -mcpu=v3"


class Newer(NamedTuple):
    """A kind of instruction, the first Linux that knows it, and what to do on older ones."""

    what: str
    since: str
    change: str


_FUNCTION: Final = Newer(
    "the address of a function of the program, which a callback needs",
    "5.13",
    "write a loop with a constant limit in place of bpf_for_each_map_elem(), bpf_loop(), "
    "bpf_timer_set_callback()",
)
_ATOMIC: Final = Newer(
    "an atomic operation other than an addition whose result is not used",
    "5.12",
    "__sync_fetch_and_add() without its result is all it has; else use a per-CPU map or "
    "bpf_spin_lock()",
)
_ORDERED: Final = Newer("a load-acquire or store-release", "6.15", _V4)
_EXTENDING_LOAD: Final = Newer("a sign-extending load", "6.6", _V4)
_EXTENDING_MOVE: Final = Newer("a sign-extending move", "6.6", _V4)
_SIGNED_DIVISION: Final = Newer("a signed division", "6.6", _V4)
_SWAP: Final = Newer("an unconditional byte swap", "6.6", _V4)
_FAR_JUMP: Final = Newer("a jump with an offset of 32 bits", "6.6", _V4)
_MAY_GOTO: Final = Newer(
    "may_goto, which cond_break and can_loop are", "6.9", "give the loop a constant limit"
)
_CAST: Final = Newer("a cast between address spaces, for an arena", "6.9", "use another map")

# What the verifier says of them where it names no instruction; without callbacks it finds fewer
# functions in the code than the type information has.
_WITHOUT_PLACE: Final = (
    ("number of funcs in func_info", _FUNCTION),
    ("unrecognized bpf_ld_imm64", _FUNCTION),
    ("BPF_STX uses reserved fields", _ATOMIC),
    ("BPF_LDX uses reserved fields", _EXTENDING_LOAD),
)
# What it says at the instruction, and not of one that it knows and that is malformed.
_UNKNOWN: Final = re.compile(
    r"unknown (?:opcode|insn class)|BPF_\w+(?:/\w+)? uses reserved fields|"
    r"BPF_ATOMIC uses invalid atomic opcode"
)
_OPCODE: Final = re.compile(r"unknown opcode ([0-9a-f]{2})$")
_ATOMIC_ADD: Final = 0x00
_ACQUIRE, _RELEASE = 0x100, 0x110
_MODE: Final = 0xE0
_OPERATION: Final = 0xF0
_MOV, _DIV, _MOD = 0xB0, 0x30, 0x90
_BITS: Final = frozenset({8, 16, 32})
_BY_OPCODE: Final = {0xD7: _SWAP, 0x06: _FAR_JUMP, 0xE5: _MAY_GOTO}
_ALU: Final = frozenset({asm.BPF_ALU, asm.BPF_ALU64})


def kind_of(insn: asm.Insn) -> Newer | None:
    """What an instruction is if kernels from 5.10 on learned it; None for those all know."""
    if insn.is_function_address:
        return _FUNCTION
    if insn.opcode in _BY_OPCODE:
        return _BY_OPCODE[insn.opcode]
    mode = insn.opcode & _MODE
    if insn.instruction_class == asm.BPF_STX and mode == asm.BPF_ATOMIC:
        if insn.imm in {_ACQUIRE, _RELEASE}:
            return _ORDERED
        return None if insn.imm == _ATOMIC_ADD else _ATOMIC
    if insn.instruction_class == asm.BPF_LDX and mode == asm.BPF_MEMSX:
        return _EXTENDING_LOAD
    return _arithmetic(insn) if insn.instruction_class in _ALU else None


def _arithmetic(insn: asm.Insn) -> Newer | None:
    operation = insn.opcode & _OPERATION
    if operation == _MOV and insn.off in _BITS and insn.opcode & asm.BPF_X:
        return _EXTENDING_MOVE
    if operation == _MOV and insn.off == 1:
        return _CAST
    return _SIGNED_DIVISION if operation in {_DIV, _MOD} and insn.off == 1 else None


def name_newer(match: Match, code: ProgramCode, at: int | None) -> Match:
    """Say what instruction it is that the kernel does not know, if the code shows it.

    `at` is the instruction that the verifier names, None when it names none.
    """
    index = _search(match.line, code) if at is None else at
    if index is None or not 0 <= index < len(code.insns) // asm.SLOT_BYTES:
        return match
    found = kind_of(asm.unpack(code.insns, index))
    if found is None or (index == at and not _UNKNOWN.match(match.line)):
        return match
    fields = {**match.fields, "insn": index, "what": found.what, "since": found.since}
    return match._replace(rule=Rule(match.code, "", _HEADLINE, found.change), fields=fields)


def _search(line: str, code: ProgramCode) -> int | None:
    """The first instruction that the verifier can mean, where it refuses one without a place."""
    places = range(len(code.insns) // asm.SLOT_BYTES)
    opcode = _OPCODE.match(line)
    if opcode:
        number = int(opcode[1], 16)
        return next((at for at in places if code.insns[at * asm.SLOT_BYTES] == number), None)
    wanted = next((kind for words, kind in _WITHOUT_PLACE if line.startswith(words)), None)
    if wanted is None:
        return None
    return next((at for at in places if kind_of(asm.unpack(code.insns, at)) is wanted), None)
