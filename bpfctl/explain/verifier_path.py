"""From a log and the code to what is known of the way to the failure. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpfctl.asm.insn import unpack
from bpfctl.explain.verifier_code import access, compared
from bpfctl.explain.verifier_origin import trace
from bpfctl.explain.verifier_words import called, origin_words, variable
from bpfctl.rejected import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._code, self._steps = code, steps
        self._trace: Trace | None = None
        self._made: int | None = None
        if steps and register is not None and register <= 10:
            self._trace = trace(steps, code.insns, len(steps) - 1, register)
            self._made = self._trace.at
        if acquired is not None:
            self._made = _last_visit(steps, acquired)

    @property
    def access(self) -> str:
        """What the refused instruction does; "" when the words would say nothing."""
        if not self._steps:
            return ""
        step = self._steps[-1]
        if step.opcode == "85":
            return f"call of {called(self._code, self._steps, len(self._steps) - 1)}"
        try:
            return access(unpack(self._code.insns, step.insn))
        except IndexError:
            return ""

    @property
    def origin(self) -> Place | None:
        """Where the value comes from."""
        if self._made is not None and (self._trace is None or self._made != self._trace.at):
            step = self._steps[self._made]
            words = f"{called(self._code, self._steps, self._made)} acquires it"
            return Place(step.insn, words, self._code.source(step.insn))
        if self._trace is None:
            return None
        words = origin_words(self._code, self._steps, self._trace)
        insn = self._steps[self._made if self._made is not None else 0].insn
        return Place(insn, words, self._code.source(insn))

    @property
    def variable(self) -> str | None:
        """The C variable that holds the value, as the line of its origin has it."""
        if self._made is None:
            return None
        return variable(self._code.source(self._steps[self._made].insn))

    @property
    def tested(self) -> bool:
        """Whether a branch compared the value on the way."""
        return bool(self._trace and self._trace.tests)

    @property
    def registers(self) -> tuple[tuple[str, str], ...]:
        """What the log tells of registers before the refused instruction."""
        return tuple(self._steps[-1].before.items()) if self._steps else ()

    def places(self) -> tuple[Place, ...]:
        """The last steps of interest: from the origin over copies and branches to the failure."""
        if not self._steps:
            return ()
        last = len(self._steps) - 1
        start = self._made or 0
        some = {last} | ({self._made} if self._made is not None else set())
        branches = [at for at in range(last - 1, start - 1, -1) if self._is_branch(at)]
        told = [*reversed(self._trace.hops), *reversed(self._trace.tests)] if self._trace else []
        for at in [*branches[:_BRANCHES], *told]:
            if len(some) < STEPS:
                some.add(at)
        return tuple(self._place(at) for at in sorted(some))

    def _is_branch(self, at: int) -> bool:
        try:
            return bool(compared(unpack(self._code.insns, self._steps[at].insn)))
        except IndexError:
            return False

    def _place(self, at: int) -> Place:
        step = self._steps[at]
        text = step.text
        if step.opcode == "85":
            text = f"call {called(self._code, self._steps, at)}"
        elif self._is_branch(at) and at + 1 < len(self._steps):
            falls = self._steps[at + 1].insn == step.insn + 1
            text += ": not taken" if falls else ": taken"
        return Place(step.insn, text, self._code.source(step.insn))


def _last_visit(steps: Sequence[Step], insn: int) -> int | None:
    found = (at for at in range(len(steps) - 1, -1, -1) if steps[at].insn == insn)
    return next(found, None)
