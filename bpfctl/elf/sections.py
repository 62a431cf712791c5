"""Section names: the strict grammar, and what to say about a name outside of it.

A name matches whole or it is an error with suggestions; never by its beginning. The table of
names is `section_table`, the form of targets `targets`, the suggestions `suggest`.
"""

from __future__ import annotations

from bpfctl.elf.section_def import AttachKind, Follow, Grammar, SectionDef
from bpfctl.elf.section_table import BY_NAME, DEFINITIONS
from bpfctl.elf.targets import EXAMPLES, target_problem
from bpfctl.errors import SectionNameError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.kernel.uapi import AttachType, ProgType

__all__ = [
    "AttachKind",
    "Follow",
    "Grammar",
    "SectionDef",
    "SectionName",
    "definitions",
    "parse_section_name",
    "retyped",
]

# A name comes from an untrusted file; real ones are far shorter (a uprobe path may be PATH_MAX).
_MAX_NAME: Final = 8192
_MOST_FORMS: Final = 3


@plain
class SectionName:
    """A section name that makes sense.

    `text` is the name as in the file, with the "?" that `autoload` False stands for.
    `target` is what to attach to ("sched_process_exec", "sched/sched_switch"), `label` words
    without meaning to the kernel; at most one of the two is set. `problem` is what is wrong with
    the form of the target: the program loads, and attaches only where somebody says where to.
    """

    definition: SectionDef
    text: str
    target: str | None = None
    label: str | None = None
    autoload: bool = True
    problem: str | None = None

    @property
    def prog_type(self) -> ProgType:
        """The type to load the program as."""
        return self.definition.prog_type

    @property
    def attach_type(self) -> AttachType | None:
        """The expected attach type for the load; None stands for 0."""
        return self.definition.attach_type

    @property
    def kind(self) -> AttachKind:
        """How a program of this section attaches."""
        return self.definition.kind

    @property
    def sleepable(self) -> bool:
        """Whether the program is loaded with BPF_F_SLEEPABLE."""
        return self.definition.sleepable

    @property
    def frags(self) -> bool:
        """Whether the program is loaded with BPF_F_XDP_HAS_FRAGS."""
        return self.definition.frags

    @property
    def warning(self) -> str | None:
        """What to tell the author of a legacy name or a malformed target, or None."""
        if self.problem:
            return f'section "{self.text}" {self.problem}'
        by_author = self.text.removeprefix("?").startswith(self.definition.name)
        if not self.definition.modern or not by_author:
            return None
        modern = " or ".join(f'"{name}"' for name in self.definition.modern)
        return f'section "{self.text}": "{self.definition.name}" is a legacy name, write {modern}'


def definitions() -> tuple[SectionDef, ...]:
    """All names there are, in the order of the table."""
    return DEFINITIONS


def parse_section_name(text: str, *, path: str | None = None) -> SectionName:
    """Read a program's section name; `path` is the object file, for the error.

    Raises: SectionNameError with the nearest valid names.
    """
    if len(text) > _MAX_NAME:
        raise _error(text[:40] + "...", "is too long for a section name", [], path)
    bare = text.removeprefix("?")
    name, definition = _longest_match(bare)
    if definition is None:
        from bpfctl.elf.suggest import dropped_note, suggestions

        notes = dropped_note(bare)
        raise _error(text, "is no program section", suggestions(bare), path, evidence=notes)
    tail = bare[len(name) + 1 :] if len(bare) > len(name) else None
    if problem := _tail_problem(definition, tail):
        raise _error(text, problem, _valid_forms(definition, bare), path)
    autoload = not text.startswith("?")
    if definition.follow is Follow.LABEL:
        return SectionName(definition, text, None, tail, autoload=autoload)
    if tail is not None and (problem := _target_problem(definition, tail)):
        # A load that needs the target looks for it by the name that is there, and fails on that.
        target = tail if definition.btf_target and tail else None
        return SectionName(definition, text, target, autoload=autoload, problem=problem)
    return SectionName(definition, text, tail, autoload=autoload)


def retyped(text: str, definition: SectionDef) -> SectionName:
    """A section of any name, its program taken for one of `definition`.

    What stands behind the name stays the target where it is one for `definition` too. As
    bpftool's `type`. Raises: nothing, any name will do.
    """
    try:
        found = parse_section_name(text)
    except SectionNameError:
        target = None
    else:
        target = found.target if found.definition.grammar is definition.grammar else None
    return SectionName(definition, text, target, autoload=not text.startswith("?"))


def _longest_match(text: str) -> tuple[str, SectionDef | None]:
    """Find the longest definition that is `text` or `text` up to one of its slashes."""
    name = text
    while name:
        if definition := BY_NAME.get(name):
            return name, definition
        name = name.rpartition("/")[0]
    return "", None


def _tail_problem(definition: SectionDef, tail: str | None) -> str | None:
    """Say what forbids to load by this name; None for `tail` is: no slash."""
    if not tail and definition.follow is Follow.REQUIRED_TARGET:
        return f"lacks its target: {definition.form}"
    if tail is not None and definition.follow is Follow.NOTHING:
        return f'is no program section: nothing may follow "{definition.name}"'
    if tail is not None and definition.follow is Follow.LABEL:
        return _label_problem(definition, tail)
    return None


def _target_problem(definition: SectionDef, tail: str) -> str | None:
    """Say what is wrong with the form of a target."""
    form = f"{definition.name}/{definition.grammar.value}"
    if not tail:
        return f"lacks its target: {form}"
    problem = target_problem(definition.grammar, tail)
    return f"does not have the form {form}: {problem}" if problem else None


def _label_problem(definition: SectionDef, label: str) -> str | None:
    """Refuse labels that are empty, malformed, or a slip of a longer name ("xdp/devmapp")."""
    if not label:
        return "is no program section: nothing follows the slash"
    if problem := target_problem(definition.grammar, label):
        return f"is no program section: {problem}"
    prefix = definition.name + "/"
    siblings = [name.removeprefix(prefix) for name in BY_NAME if name.startswith(prefix)]
    if siblings:
        from bpfctl.elf.suggest import nearest

        if near := nearest(label, siblings):
            return f'is no program section, and too near to "{prefix}{near[0]}" for a label'
    return None


def _valid_forms(definition: SectionDef, text: str) -> list[str]:
    """The ways to write a name whose beginning was understood; a target is only an example."""
    from bpfctl.elf.suggest import suggestions

    if definition.follow is Follow.NOTHING:
        return suggestions(text)
    example = f"{definition.name}/{EXAMPLES[definition.grammar]}"
    if definition.follow is Follow.REQUIRED_TARGET:
        return [example]
    near = suggestions(text) if definition.follow is Follow.LABEL else []
    return list(dict.fromkeys([*near, definition.name, example]))[:_MOST_FORMS]


def _error(
    text: str,
    problem: str,
    near: list[str],
    path: str | None,
    evidence: list[str] | None = None,
) -> SectionNameError:
    """Word the refusal of a name."""
    return SectionNameError(
        f'section "{text}" {problem}',
        suggestions=near,
        path=path,
        section=text,
        evidence=evidence or [],
        remedy="bpfctl help sections lists all names",
    )
