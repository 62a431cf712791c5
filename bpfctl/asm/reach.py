"""Which instructions a program can reach, as far as constants decide it.

The verifier follows every path, and at a branch on a constant only the one that is taken. This
walk joins paths where they meet, so that it knows less: what it does not reach, no verifier
reaches; what it reaches, a verifier may still find out to be dead.
Source: do_check(), is_branch_taken(), kernel/bpf/verifier.c, Linux 5.10 and later.
"""

from __future__ import annotations

from bpfctl.asm import insn as asm
from bpfctl.asm.constants import JEQ, JNE, Absent, Place, Value, alu, jumps, unsigned
from bpfctl.asm.insn import decode, imm64
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Final

    from bpfctl.asm.insn import Insn

_REGISTERS: Final = 16  # what fits into an instruction; programs have 11
_FRAME: Final = 10
_STEPS_PER_INSN: Final = 200  # a join can lose one constant a visit, and there are few
_JA, _JCOND = 0x00, 0xE0
_GOTOX: Final = asm.BPF_JMP | _JA | asm.BPF_X
_CMPXCHG: Final = 0xF1

State = tuple[tuple[Value, ...], tuple[tuple[int, Value], ...]]
_UNKNOWN: Final[State] = ((None,) * _REGISTERS, ())


class Code(NamedTuple):
    """A linked program, and what there is to know about it.

    `starts` are the first instructions of its functions, `apart` those of functions that are
    verified by themselves, with any arguments; with `eager` they are, whether called or not.
    `loads` says what the ld_imm64 at an index loads if that is no number, `contents` what never
    changes behind a `Place`. `roots` are functions that only the kernel calls.
    """

    insns: bytes
    starts: tuple[int, ...] = (0,)
    apart: frozenset[int] = frozenset()
    eager: bool = False
    loads: Mapping[int, Value] = {}
    contents: Mapping[str, bytes] = {}
    roots: tuple[int, ...] = ()
    unknown: Collection[int] = ()


class Reached(NamedTuple):
    """What a walk found: the instructions reached, and those that read or write at an `Absent`."""

    insns: Collection[int]
    absent: Mapping[int, str]


def reach(code: Code) -> Reached:
    """Walk a program. One that is too intricate reaches everything."""
    insns = decode(code.insns)
    walk = _Walk(code, insns)
    if any(one.opcode == _GOTOX for one in insns) or not walk.run():
        return Reached(range(len(insns)), {})
    return Reached(walk.seen, walk.absent)


class _Walk:
    def __init__(self, code: Code, insns: list[Insn]) -> None:
        self.code, self.insns = code, insns
        self.seen: set[int] = set()
        self.absent: dict[int, str] = {}
        self.states: dict[int, State] = {}
        self.queue: list[int] = []
        self.leaders = _leaders(insns) | set(code.starts)
        self.returned: dict[int, Value] = {}  # what the function that begins there returns
        self.waiting: dict[int, dict[int, State]] = {}  # by function: where calls go on
        self.starts = sorted(code.starts)

    def run(self) -> bool:
        """Walk to the end; False when that takes too long."""
        self.arrive(0, _UNKNOWN)
        for root in (*self.code.roots, *(self.code.apart if self.code.eager else ())):
            self.arrive(root, _UNKNOWN)
        steps = _STEPS_PER_INSN * len(self.insns)
        while self.queue and steps > 0:
            steps -= self.block(self.queue.pop())
        return not self.queue

    def arrive(self, at: int, state: State) -> None:
        """Join a state into that of a block, which is walked again if it knows less now."""
        if not 0 <= at < len(self.insns):
            return
        before = self.states.get(at)
        after = state if before is None else _join(before, state)
        if after != before:
            self.states[at] = after
            self.queue.append(at)

    def block(self, at: int) -> int:
        """Walk from a leader to where control goes elsewhere; return the steps it took."""
        first = at
        registers, stack = list(self.states[at][0]), dict(self.states[at][1])
        while at < len(self.insns):
            insn = self.insns[at]
            self.seen.add(at)
            if insn.instruction_class in (asm.BPF_JMP, asm.BPF_JMP32):
                if self.jump(at, insn, registers, stack):
                    return at - first + 1
            else:
                self.compute(at, insn, registers, stack)
            at += 2 if insn.is_ld_imm64 else 1
            if at in self.leaders:
                self.arrive(at, _state(registers, stack))
                break
        return at - first + 1

    # --- one instruction

    def compute(self, at: int, insn: Insn, registers: list[Value], stack: dict[int, Value]) -> None:
        kind = insn.instruction_class
        if insn.is_ld_imm64:
            self.load_imm(at, insn, registers)
        elif kind in (asm.BPF_ALU, asm.BPF_ALU64):
            right = registers[insn.src] if insn.opcode & asm.BPF_X else unsigned(insn.imm)
            registers[insn.dst] = alu(insn, registers[insn.dst], right)
        elif kind == asm.BPF_LDX:
            self.touch(at, registers[insn.src])
            registers[insn.dst] = self.read(insn, registers[insn.src], stack)
        elif kind == asm.BPF_LD:  # packets, the old way: it calls a function
            registers[:6] = [None] * 6
        else:
            self.touch(at, registers[insn.dst])
            _store(insn, registers, stack)
            return
        if at in self.code.unknown:
            registers[insn.dst] = None

    def load_imm(self, at: int, insn: Insn, registers: list[Value]) -> None:
        if insn.is_function_address:
            self.arrive(at + insn.imm + 1, _UNKNOWN)
            registers[insn.dst] = Place()
        elif at in self.code.loads:
            registers[insn.dst] = self.code.loads[at]
        elif insn.src:
            registers[insn.dst] = Place()
        elif at + 1 < len(self.insns):
            registers[insn.dst] = imm64(insn, self.insns[at + 1])

    def touch(self, at: int, base: Value) -> None:
        if isinstance(base, Absent):
            self.absent[at] = base.name
        else:
            self.absent.pop(at, None)  # a path that joined knows better

    def read(self, insn: Insn, base: Value, stack: dict[int, Value]) -> Value:
        if insn.opcode & 0xE0 != asm.BPF_MEM:
            return None
        if insn.src == _FRAME:
            return stack.get(insn.off) if insn.opcode & 0x18 == asm.BPF_DW else None
        if not isinstance(base, Place):
            return None
        start = base.offset + insn.off
        size = asm.SIZE_BYTES[insn.opcode & 0x18]
        data = self.code.contents.get(base.name, b"")[max(start, 0) : max(start + size, 0)]
        return int.from_bytes(data, "little") if start >= 0 and len(data) == size else None

    # --- control

    def jump(self, at: int, insn: Insn, registers: list[Value], stack: dict[int, Value]) -> bool:
        """Go where an instruction of the jump classes goes; False when it just goes on."""
        code = insn.opcode & 0xF0
        if insn.opcode == asm.BPF_EXIT_INSN:
            self.exit(at, registers[0])
        elif insn.opcode & 0xF0 == asm.BPF_CALL:
            return self.call(at, insn, registers, stack)
        elif code == _JA:
            wide = insn.instruction_class == asm.BPF_JMP32
            self.arrive(at + 1 + (insn.imm if wide else insn.off), _state(registers, stack))
        else:
            self.branch(at, insn, registers, stack)
        return True

    def branch(self, at: int, insn: Insn, registers: list[Value], stack: dict[int, Value]) -> None:
        right = registers[insn.src] if insn.opcode & asm.BPF_X else unsigned(insn.imm)
        taken = None if insn.opcode & 0xF0 == _JCOND else jumps(insn, registers[insn.dst], right)
        for way, target in ((True, at + 1 + insn.off), (False, at + 1)):
            if taken in (None, way):
                self.arrive(target, _state(_learned(insn, registers, right, taken=way), stack))

    def call(self, at: int, insn: Insn, registers: list[Value], stack: dict[int, Value]) -> bool:
        """Call a helper or function of the kernel (and go on), or one of the program."""
        callee = at + insn.imm + 1
        own = insn.is_subprogram_call
        together = own and callee not in self.code.apart
        if own:
            arguments = (None, *registers[1:6], *_UNKNOWN[0][6:])
            self.arrive(callee, (arguments if together else _UNKNOWN[0], ()))
        registers[:6] = [None] * 6
        stack.clear()  # whoever has its address may have changed it
        if not together:
            return False
        after = _state(registers, stack)
        waiting = self.waiting.setdefault(callee, {})
        waiting[at + 1] = _join(waiting[at + 1], after) if at + 1 in waiting else after
        if callee in self.returned:
            self.go_on(callee)
        return True

    def exit(self, at: int, value: Value) -> None:
        start = max(one for one in self.starts if one <= at)
        if start in self.returned:
            value = _common(self.returned[start], value)
        self.returned[start] = value
        self.go_on(start)

    def go_on(self, callee: int) -> None:
        for target, (registers, stack) in list(self.waiting.get(callee, {}).items()):
            self.arrive(target, ((self.returned[callee], *registers[1:]), stack))


def _leaders(insns: list[Insn]) -> set[int]:
    """Where blocks begin: at the targets of jumps, and behind branches and calls."""
    found = set()
    for at, insn in enumerate(insns):
        if insn.instruction_class not in (asm.BPF_JMP, asm.BPF_JMP32):
            continue
        if insn.is_subprogram_call:
            found.add(at + 1)
        elif insn.opcode & 0xF0 not in (asm.BPF_CALL, asm.BPF_EXIT):
            wide = insn.opcode == asm.BPF_JMP32 | _JA
            found |= {at + 1, at + 1 + (insn.imm if wide else insn.off)}
    return found


def _learned(insn: Insn, registers: list[Value], right: Value, *, taken: bool) -> list[Value]:
    """The registers behind a branch: whoever is equal to a constant is that constant."""
    equal = insn.opcode & 0xF0 == (JEQ if taken else JNE)
    is_news = registers[insn.dst] is None and isinstance(right, int)
    if not (equal and is_news and insn.instruction_class == asm.BPF_JMP):
        return registers
    return [right if at == insn.dst else one for at, one in enumerate(registers)]


def _store(insn: Insn, registers: list[Value], stack: dict[int, Value]) -> None:
    mode = insn.opcode & 0xE0
    if mode == asm.BPF_ATOMIC:
        registers[0 if insn.imm == _CMPXCHG else insn.src] = None
    if insn.dst != _FRAME or mode != asm.BPF_MEM:
        stack.clear()  # it may have gone to the stack
        return
    size = asm.SIZE_BYTES[insn.opcode & 0x18]
    for place in [one for one in stack if one < insn.off + size and insn.off < one + 8]:
        del stack[place]
    if size == asm.SIZE_BYTES[asm.BPF_DW] and insn.instruction_class == asm.BPF_STX:
        stack[insn.off] = registers[insn.src]


def _state(registers: list[Value], stack: dict[int, Value]) -> State:
    return tuple(registers), tuple(one for one in sorted(stack.items()) if one[1] is not None)


def _join(one: State, other: State) -> State:
    """What holds on both ways."""
    registers = tuple(map(_common, one[0], other[0]))
    slots = dict(other[1])
    stack = ((at, _common(value, slots.get(at))) for at, value in one[1])
    return registers, tuple(slot for slot in stack if slot[1] is not None)


def _common(one: Value, other: Value) -> Value:
    return one if one == other else None
