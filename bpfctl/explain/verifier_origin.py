"""Where the value of a register comes from: back along the way that the verifier walked. Pure."""

from __future__ import annotations

from bpfctl.asm.insn import unpack
from bpfctl.explain.verifier_code import Does, Effect, compared, on_register, on_slot
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from bpfctl.asm.insn import Insn
    from bpfctl.explain.verifier_steps import Step

_CALL, _EXIT = "85", "95"
_END: Final = frozenset({Does.LOAD, Does.CONSTANT, Does.ADDRESS, Does.CALL, Does.DESTROY})


class Trace(NamedTuple):
    """Where a value comes from.

    `at` is the position on the way of the instruction that made it, None: it was there when the
    way began. `effect` is what it did, to `register`. `hops` are the positions where it was
    copied, saved, restored or changed, `tests` those of branches that compared it; ascending.
    """

    at: int | None
    effect: Effect | None
    register: int
    frame: int
    hops: tuple[int, ...] = ()
    tests: tuple[int, ...] = ()


class _Search:
    """Goes back; what is looked for is a register or, with `slot`, a stack slot of a frame."""

    def __init__(self, frame: int, register: int) -> None:
        self.frame, self.register = frame, register
        self.slot: int | None = None
        self.hops: list[int] = []
        self.tests: list[int] = []

    def result(self, at: int | None, effect: Effect | None) -> Trace:
        hops, tests = tuple(reversed(self.hops)), tuple(reversed(self.tests))
        return Trace(at, effect, self.register, self.frame, hops, tests)

    def follow(self, at: int, effect: Effect) -> bool:
        """Go on with what the value was made of; False: it was made here."""
        if effect.does in _END:
            return False
        self.hops.append(at)
        if effect.does is Does.COPY:
            self.register, self.slot = effect.source, None
        elif effect.does is Does.FILL:
            self.slot = effect.offset
        return True


def trace(steps: Sequence[Step], code: bytes, at: int, register: int) -> Trace:
    """Follow the value that `register` holds before step `at` back to what made it."""
    search = _Search(steps[at].frame, register)
    for here in range(at - 1, -1, -1):
        step = steps[here]
        if _crosses_call(search, step, steps[here + 1]):
            if search.slot is not None:
                break
            if not _is_subprogram(code, step):
                return search.result(here, Effect(Does.CALLBACK))
            search.frame = step.frame
            search.hops.append(here)
            continue
        if step.opcode == _EXIT and step.frame == search.frame + 1 and _is_result(search):
            search.frame = step.frame
            continue
        if step.frame != search.frame or (insn := _insn(code, step)) is None:
            continue
        if search.slot is None and search.register in compared(insn):
            search.tests.append(here)
        effect = _effect(search, insn)
        if effect is None or _returned(step, steps[here + 1], effect):
            continue
        if not search.follow(here, effect):
            return search.result(here, effect)
    return search.result(None, None)


def _crosses_call(search: _Search, step: Step, after: Step) -> bool:
    """Whether what is looked for is inside the function that `step` enters."""
    return step.opcode == _CALL and after.frame == step.frame + 1 == search.frame


def _is_subprogram(code: bytes, step: Step) -> bool:
    """Whether a call is one of a function of the program, and no helper that calls it back."""
    insn = _insn(code, step)
    return insn is None or insn.is_subprogram_call


def _is_result(search: _Search) -> bool:
    return search.slot is None and search.register == 0


def _returned(step: Step, after: Step, effect: Effect) -> bool:
    """Whether a call was walked through: what it returns is made inside."""
    return effect.does is Does.CALL and after.frame == step.frame + 1


def _effect(search: _Search, insn: Insn) -> Effect | None:
    if search.slot is not None:
        return on_slot(insn, search.slot)
    return on_register(insn, search.register)


def _insn(code: bytes, step: Step) -> Insn | None:
    try:
        return unpack(code, step.insn)
    except IndexError:
        return None
