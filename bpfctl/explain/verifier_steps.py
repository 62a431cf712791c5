"""The way through the program that a verifier log tells, one instruction after the other. Pure."""

from __future__ import annotations

import re

from bpfctl.explain.verifier_state import is_state, parse_state
from bpfctl.loader.verifier_log import INSN
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# The way to the failure is at the end; 4 MiB are about 50000 instructions.
_CHARS: Final = 4 << 20
_FROM: Final = re.compile(r"from (\d+) to \d+(?: \([^)]*\))?: ?(.*)")
_BEFORE: Final = re.compile(r"(\d+): (.*)")
# The state behind a branch may follow on its line: "5: (15) if r1 == 0x0 goto pc+1 7: R0=0".
_STEP: Final = re.compile(
    r"(\d+): \(([0-9a-f]{2})\) ([^;]*?)\s*"
    r"(?:;(.*)|\s\d+: ((?:frame\d+: )?(?:R\d+|fp-\d+)\S*=.*))?$"
)
_TARGET: Final = re.compile(r"(?:[rw](\d+) (?:\S*=|s)|\*\(|lock )")
_CALL, _EXIT = "85", "95"
_LOST_BY_CALL: Final = frozenset(f"R{number}" for number in range(6))


class Step(NamedTuple):
    """One instruction on the way.

    `frame` counts the calls it is inside of, from where the walk begins. `before` is what the log
    tells of registers before the instruction: without a state line nothing is known.
    """

    insn: int
    text: str
    opcode: str
    frame: int
    before: dict[str, str]


class _Walk:
    """Collects steps; a branch taken up again drops what came after it."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.state: dict[str, str] = {}
        self.seen = False  # whether the state was printed since the last step
        self.gone_back_to: list[int] = []

    def add(self, found: re.Match[str]) -> None:
        insn, opcode, text, comment = int(found[1]), found[2], found[3], found[4]
        last = self.steps[-1] if self.steps else None
        frame = _frame(last, insn)
        if last and frame != last.frame and not self.seen:
            self.state = {}
        self.steps.append(Step(insn, text, opcode, frame, self.state))
        kept = self.state
        if opcode == _CALL:
            kept = {name: value for name, value in kept.items() if _survives(name, value)}
        elif comment is None:
            kept = _without_target(kept, text)
        self.state = {**kept, **parse_state(comment or "")}
        self.seen = False
        if found[5]:
            self.see(found[5])

    def see(self, text: str) -> None:
        """A line with the whole state."""
        self.state, self.seen = parse_state(text), True

    def go_back(self, insn: int) -> None:
        """Another branch of the jump at `insn` is walked now."""
        for at in range(len(self.steps) - 1, -1, -1):
            if self.steps[at].insn == insn and at not in self.gone_back_to:
                del self.steps[at + 1 :]
                self.gone_back_to = [*(one for one in self.gone_back_to if one < at), at]
                return
        if not any(step.insn == insn for step in self.steps):
            self.steps.clear()  # the log begins behind it


def walk(log: str) -> tuple[Step, ...]:
    """The way to the last instruction of a log of level 1 or 2.

    In a log of level 2 finished branches are left out. Where the log begins in the middle, so does
    the way.
    """
    last = None
    for last in INSN.finditer(log, max(0, len(log) - _CHARS)):  # noqa: B007 - the last is wanted
        pass
    if last is None:
        return ()
    end = log.find("\n", last.start())
    found = _Walk()
    for line in log[max(0, len(log) - _CHARS) : end if end >= 0 else len(log)].split("\n"):
        _take(found, line)
    return tuple(found.steps)


def _without_target(state: dict[str, str], text: str) -> dict[str, str]:
    """What is still known behind an instruction of which the log tells no effect (Linux 5.10)."""
    target = _TARGET.match(text)
    if target is None:
        return state
    lost = f"R{target[1]}" if target[1] else "fp"
    return {
        name: value
        for name, value in state.items()
        if name != lost and not (lost == "fp" and name.startswith("fp"))
    }


def _survives(name: str, value: str) -> bool:
    """Whether a call leaves a register as it is: it may release resources and move the packet."""
    return name not in _LOST_BY_CALL and "ref_obj_id=" not in value and not value.startswith("pkt")


def _take(found: _Walk, line: str) -> None:
    step = _STEP.match(line)
    if step:
        found.add(step)
        return
    branch = _FROM.match(line)
    if branch:
        if not branch[2].startswith("safe"):
            found.go_back(int(branch[1]))
            found.see(branch[2])
        return
    before = _BEFORE.match(line)
    text = before[2] if before else line
    if is_state(text) and (before or line[:1] in {" ", "R"} or line.startswith("frame")):
        found.see(text)


def _frame(last: Step | None, insn: int) -> int:
    """How deep in calls the instruction behind `last` is."""
    if last is None:
        return 0
    if last.opcode == _CALL and insn != last.insn + 1:
        return last.frame + 1
    return last.frame - 1 if last.opcode == _EXIT else last.frame
