"""From a log and the code to what is known of the way to the failure. Pure."""

from __future__ import annotations

from bpfctl.asm.insn import BPF_LDX, Insn, unpack
from bpfctl.explain.verifier_code import FRAME_POINTER, access, added, compared, on_register
from bpfctl.explain.verifier_origin import trace
from bpfctl.explain.verifier_words import called, origin_words, variable
from bpfctl.rejected import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from bpfctl.explain.verifier_origin import Trace
    from bpfctl.explain.verifier_steps import Step
    from bpfctl.rejected import ProgramCode

STEPS: Final = 6  # shown, the failure among them
_BRANCHES: Final = 2


class Way:
    """The way to the failure; `register` is the one concerned, `acquired` the insn of a resource.

    Empty where the log has no instructions.
    """

    def __init__(
        self,
        code: ProgramCode,
        steps: Sequence[Step],
        register: int | None,
        acquired: int | None = None,
    ) -> None:
        self.code, self.steps, self._register = code, steps, register
        self.trace: Trace | None = None
        self.made: int | None = None
        self._words = ""
        # Whether the log has the beginning of the way: the first instruction of a function.
        self.begins = bool(steps) and steps[0].insn in {0, *(at for at, _ in code.functions)}
        if steps and register is not None and register <= FRAME_POINTER:
            self.trace = trace(steps, code.insns, len(steps) - 1, register)
            self.made = self.trace.at
        if acquired is not None:
            self.made = _last_visit(steps, acquired)

    def follow_index(self) -> bool:
        """Go on with the index that was added to the pointer; False: none was."""
        if self.trace is None:
            return self._follow_operand()
        for hop in reversed(self.trace.hops):
            index = added(self._insn(hop))
            if index is not None:
                found = trace(self.steps, self.code.insns, hop, index)
                self.trace = found._replace(hops=(*found.hops, hop))
                self.made, self._register = found.at, index
                return True
        return False

    def _follow_operand(self) -> bool:
        """The same where the refused instruction is the addition."""
        last = len(self.steps) - 1
        index = added(self._insn(last)) if self.steps else None
        if index is None:
            return False
        self.trace = trace(self.steps, self.code.insns, last, index)
        self.made, self._register = self.trace.at, index
        return True

    def _insn(self, at: int) -> Insn:
        try:
            return unpack(self.code.insns, self.steps[at].insn)
        except IndexError:  # a log of other code
            return Insn(0)

    def blame(self, at: int, words: str) -> None:
        """Name the step at `at` as where it comes from."""
        self.made, self._words = at, words

    def passes(self, at: int) -> bool:
        """Whether the call at `at` passes the value on, as its first argument."""
        passed = trace(self.steps, self.code.insns, at, 1)
        return self.trace is not None and passed.at is not None and passed.at == self.trace.at

    @property
    def text(self) -> str:
        """The refused instruction in the verifier's words; "" where the log has none."""
        return self.steps[-1].text if self.steps else ""

    @property
    def access(self) -> str:
        """What the refused instruction does; "" when the words would say nothing."""
        if not self.steps:
            return ""
        step = self.steps[-1]
        if step.opcode == "85":
            return f"call of {called(self.code, self.steps, len(self.steps) - 1)}"
        return access(self._insn(-1))

    @property
    def origin(self) -> Place | None:
        """Where the value comes from."""
        if self.made is not None and (self.trace is None or self.made != self.trace.at):
            words = self._words or f"{called(self.code, self.steps, self.made)} acquires it"
        elif self.trace is not None and (self.begins or self.made is not None):
            words = origin_words(self.code, self.steps, self.trace)
        else:
            return None
        insn = self.steps[self.made if self.made is not None else 0].insn
        return Place(insn, words, self.code.source(insn))

    @property
    def variable(self) -> str | None:
        """The C variable that holds the value, as the line of its origin has it."""
        if self.made is None:
            return None
        source = self.code.source(self.steps[self.made].insn)
        here = self.code.source(self.steps[-1].insn)
        same = here is not None and source is not None and source[:2] == here[:2]
        return None if same else variable(source)

    @property
    def register(self) -> int | None:
        """The register concerned, at the failure; None when the message is about none."""
        return self._register

    @property
    def untested(self) -> bool:
        """Whether no branch compared the value between its origin and the failure."""
        return self.made is not None and self.trace is not None and not self.trace.tests

    @property
    def tested_twin(self) -> int | None:
        """The instruction that read the same place before, and whose value was tested; or None."""
        if self.made is None or self.trace is None:
            return None
        own = self._insn(self.made)
        if own.instruction_class != BPF_LDX:
            return None
        base = trace(self.steps, self.code.insns, self.made, own.src).at
        for at in range(self.made - 1, -1, -1):
            other = self._insn(at)
            same = (other.opcode, other.off) == (own.opcode, own.off)
            if same and trace(self.steps, self.code.insns, at, other.src).at == base:
                return self.steps[at].insn if self._is_tested(at, other.dst) else None
        return None

    def _is_tested(self, at: int, register: int) -> bool:
        """Whether a branch compares what the instruction at `at` puts into a register."""
        for later in range(at + 1, len(self.steps)):
            insn = self._insn(later)
            if register in compared(insn):
                return True
            if on_register(insn, register) is not None:
                return False
        return False

    @property
    def registers(self) -> tuple[tuple[str, str], ...]:
        """What the log tells of registers before the refused instruction."""
        return tuple(self.steps[-1].before.items()) if self.steps else ()

    def places(self) -> tuple[Place, ...]:
        """The last steps of interest: from the origin over copies and branches to the failure."""
        if not self.steps:
            return ()
        last = len(self.steps) - 1
        start = self.made or 0
        some = {last} | ({self.made} if self.made is not None else set())
        branches = [at for at in range(last - 1, start - 1, -1) if self._is_branch(at)]
        told = [*reversed(self.trace.hops), *reversed(self.trace.tests)] if self.trace else []
        for at in [*branches[:_BRANCHES], *told]:
            if len(some) < STEPS:
                some.add(at)
        return tuple(dict.fromkeys(self._place(at) for at in sorted(some)))

    def _is_branch(self, at: int) -> bool:
        return bool(compared(self._insn(at)))

    def _place(self, at: int) -> Place:
        step = self.steps[at]
        text = step.text
        if step.opcode == "85":
            text = f"call {called(self.code, self.steps, at)}"
        elif self._is_branch(at) and at + 1 < len(self.steps):
            falls = self.steps[at + 1].insn == step.insn + 1
            text += ": not taken" if falls else ": taken"
        return Place(step.insn, text, self.code.source(step.insn))


def _last_visit(steps: Sequence[Step], insn: int) -> int | None:
    found = (at for at in range(len(steps) - 1, -1, -1) if steps[at].insn == insn)
    return next(found, None)
