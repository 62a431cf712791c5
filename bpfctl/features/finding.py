"""One line of what `doctor` says."""

from __future__ import annotations

from bpfctl.plain import field, plain
from bpfctl.plain_enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class State(Enum):
    """How a part of the machine is, in the words that JSON carries."""

    GOOD = "good"
    LIMITED = "limited"
    BAD = "bad"
    UNKNOWN = "cannot-tell"

    @property
    def words(self) -> str:
        """For people."""
        return self.value.replace("-", " ")


@plain
class Finding:
    """A part of the machine, a verdict, and what was seen.

    `cost` is what does not work because of it, `remedy` what to do; both are empty where all is
    good. `facts` are for machines.
    """

    name: str
    state: State
    seen: str
    cost: str = ""
    remedy: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self, group: str) -> dict[str, Any]:
        """Return all fields, those without a value too: a script need not ask for them."""
        return {
            "group": group,
            "name": self.name,
            "verdict": self.state.value,
            "seen": self.seen,
            "cost": self.cost or None,
            "remedy": self.remedy or None,
            "facts": self.facts,
        }


def good(name: str, seen: str, **facts: Any) -> Finding:
    """Return a finding without cost."""
    return Finding(name, State.GOOD, seen, facts=facts)


def limited(name: str, seen: str, cost: str, remedy: str = "", **facts: Any) -> Finding:
    """Return a finding that costs something."""
    return Finding(name, State.LIMITED, seen, cost, remedy, facts)


def bad(name: str, seen: str, cost: str, remedy: str = "", **facts: Any) -> Finding:
    """Return a finding without which nearly nothing works."""
    return Finding(name, State.BAD, seen, cost, remedy, facts)


def unknown(name: str, seen: str, remedy: str = "", **facts: Any) -> Finding:
    """Return a finding about which nothing could be told."""
    return Finding(name, State.UNKNOWN, seen, remedy=remedy, facts=facts)
