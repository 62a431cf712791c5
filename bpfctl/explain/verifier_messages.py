"""Recognise what the verifier objects to. Pure."""

from __future__ import annotations

import re

from bpfctl.explain import (
    verifier_rules_call,
    verifier_rules_kernel,
    verifier_rules_memory,
    verifier_rules_pointer,
    verifier_rules_program,
)
from bpfctl.explain.verifier_rule import Rule, compiled
from bpfctl.explain.verifier_types import (
    expected_words,
    helper_words,
    map_type_name,
    type_words,
)
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Final

_ONE: Final = re.compile(r"(?<![\d-])1 bytes")
_TABLES: Final = (
    verifier_rules_pointer.RULES,
    verifier_rules_memory.RULES,
    verifier_rules_call.RULES,
    verifier_rules_program.RULES,
    verifier_rules_kernel.RULES,
)


class _Words(dict[str, "Any"]):
    """What fills the places in words; one the kernel's message did not tell is a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


class Match(NamedTuple):
    """A message that was recognised.

    `register` is the number of the register concerned, `insn` the instruction the message names,
    `origin_insn` the one that it says a resource comes from; None: it says nothing of it.
    `fields` fill the places in the words of `rule`.
    """

    rule: Rule
    line: str
    fields: dict[str, Any]

    @property
    def code(self) -> str:
        """The stable code."""
        return self.rule.code

    @property
    def register(self) -> int | None:
        """The register the message is about."""
        found = self.fields.get("reg")
        return found if isinstance(found, int) else None

    @property
    def origin_insn(self) -> int | None:
        """The instruction that acquired what was not released."""
        found = self.fields.get("origin")
        return found if isinstance(found, int) else None

    @property
    def headline(self) -> str:
        """The rule that was broken, in one sentence."""
        return _ONE.sub("1 byte", self.rule.headline.format_map(_Words(self.fields)))

    def change(self, variable: str | None) -> str:
        """What to change; `variable` is the name in C of what the register holds."""
        return self.rule.change.format_map(_Words(self.fields, var=variable or "p"))


def rules() -> Iterator[Rule]:
    """All rules, in the order they are tried."""
    for table in _TABLES:
        yield from table


def recognise(lines: str | Sequence[str]) -> Match | None:
    """Find the rule for the lines of an objection, the most telling one; None: none is known.

    What the other lines tell fills its gaps.
    """
    found = [one for line in ([lines] if isinstance(lines, str) else lines) if (one := _of(line))]
    if not found:
        return None
    best = max(found, key=lambda one: one.rule.rank)
    fields = {name: value for one in reversed(found) for name, value in one.fields.items()}
    return best._replace(fields=fields | best.fields)


def _of(line: str) -> Match | None:
    for rule in rules():
        found = compiled(rule.pattern).match(line)
        if found:
            return Match(rule, line, _fields(found.groupdict()))
    return None


def _fields(groups: dict[str, str | None]) -> dict[str, Any]:
    """The groups that matched, numbers as such, and what follows from them."""
    fields: dict[str, Any] = {
        name: int(text) if text.lstrip("-").isdigit() else text
        for name, text in groups.items()
        if text is not None
    }
    if "arg0" in fields:
        fields["reg"] = fields["arg0"] + 1
    if "arg" in fields or "at" in fields:
        fields["reg"] = fields.get("arg", fields.get("at"))
    if "reg" in fields:
        fields["argument"] = fields["reg"]
    if "type" in fields:
        fields["type_words"] = type_words(str(fields["type"]))
        fields["map_type"] = map_type_name(fields["type"])
    if "number" in fields:
        fields["helper"] = helper_words(fields["number"])
    if "expected" in fields:
        fields["expected_words"] = expected_words(str(fields["expected"]))
    return fields
