"""What a check says about one thing an object needs."""

from __future__ import annotations

from bpfctl.plain import plain
from bpfctl.plain_enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class State(Enum):
    """Whether a kernel has what an object needs.

    GUARDED: it does not, and that was shown to do no harm. UNKNOWN: what is there does not tell.
    """

    FOUND = "found"
    GUARDED = "guarded"
    UNKNOWN = "cannot tell"
    MISSING = "missing"


class Kind(Enum):
    """What sort of thing it is, in the order of a report."""

    OBJECT = "object"
    PROGRAM_TYPE = "program type"
    ATTACH_TYPE = "attach type"
    TARGET = "attach target"
    FLAG = "program flag"
    STRUCT_OPS = "struct_ops"
    MAP_TYPE = "map type"
    MAP = "map"
    HELPER = "helper"
    KFUNC = "kfunc"
    KSYM = "ksym"
    KCONFIG = "kconfig"
    EXTERN = "extern"
    CORE = "CO-RE"
    CODE = "instruction"


@plain
class Finding:
    """One thing, and what a kernel has of it.

    `detail` tells why, in words that go on after the name; `programs` need it. With `attach` it
    is only missed when a program attaches, not when it loads. `where` is the first place in the
    source that fails, "" where none is known.
    """

    kind: Kind
    name: str
    state: State
    detail: str = ""
    programs: tuple[str, ...] = ()
    attach: bool = False
    where: str = ""

    def to_json(self) -> dict[str, object]:
        """The fields; `fails` names what goes wrong without it."""
        fails = None
        if self.state is State.MISSING:
            fails = "attach" if self.attach else "load"
        return {
            "kind": self.kind.value,
            "name": self.name,
            "state": self.state.value,
            "fails": fails,
            "detail": self.detail or None,
            "where": self.where or None,
            "programs": list(self.programs),
        }


@plain
class Report:
    """What became of one object on one kernel. `age` are the versions its types allow, in words."""

    path: str
    kernel: str
    age: str
    findings: tuple[Finding, ...]

    def of(self, state: State) -> list[Finding]:
        """The findings of one state."""
        return [one for one in self.findings if one.state is state]

    @property
    def verdict(self) -> State:
        """MISSING when something would fail, UNKNOWN when something may, else FOUND."""
        states = {one.state for one in self.findings}
        return next((one for one in (State.MISSING, State.UNKNOWN) if one in states), State.FOUND)

    def to_json(self) -> dict[str, object]:
        """The whole report."""
        return {
            "object": self.path,
            "kernel": self.kernel,
            "age": self.age or None,
            "verdict": {
                State.MISSING: "would fail",
                State.UNKNOWN: "cannot tell",
                State.FOUND: "ok",
            }[self.verdict],
            "findings": [one.to_json() for one in self.findings],
        }


def settle(
    state: State, detail: str, programs: Sequence[str], loaded: Iterable[str]
) -> tuple[State, str]:
    """What is missing does no harm where no program that needs it is loaded unasked."""
    if state is State.FOUND or not programs or set(programs) & set(loaded):
        return state, detail
    return State.GUARDED, f"{detail}; {_nobody(programs)}" if detail else _nobody(programs)


def _nobody(programs: Sequence[str]) -> str:
    names = ", ".join(programs)
    return f"only {names} needs it, which is not loaded unless asked for"
