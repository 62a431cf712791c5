"""CO-RE: what a compiled-in offset, size, id or constant is in the kernel that we load into.

The compiler notes which instructions hold facts about kernel types and what they mean ("the
offset of task_struct.pid"). Here each is worked out for another set of types; `bpfctl.asm`
writes it into the instruction.
Source: behaviour of libbpf 1.6 (relo_core.c) and Linux 6.18, Documentation/bpf/llvm_reloc.rst.
"""

from __future__ import annotations

from bpfctl.btf.core_candidates import Candidates
from bpfctl.btf.core_fixup import CoreFixup, CoreKind
from bpfctl.btf.core_members import Members
from bpfctl.btf.core_place import Mismatch
from bpfctl.btf.core_questions import (
    Answer,
    EnumeratorQuestion,
    FieldQuestion,
    Question,
    TypeQuestion,
)
from bpfctl.errors import RelocationError
from bpfctl.plain_tools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bpfctl.btf.core_match import Matcher
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import CoreRelo


class CoreTarget:
    """The types of the kernel to load into, with what was looked up in them so far.

    Keep one for all relocations of an object: the types that answered one access to a struct are
    then the only ones asked for its other members. `modules` gives the types of the kernel's
    modules, each based on `btf`; it is called when an object asks for a type `btf` does not have.
    """

    def __init__(self, btf: Btf, modules: Callable[[], Iterable[Btf]] = tuple) -> None:
        self.btf = btf
        self._module_btfs = modules
        self.candidates = Candidates(btf)
        self.members = Members(btf)
        self._matchers: dict[Btf, Matcher] = {}
        # An object asks for the same members again and again.
        self.fixups: dict[tuple[Btf, int, str, int], CoreFixup] = {}

    @cached_property
    def modules(self) -> tuple[CoreTarget, ...]:
        """The types of each module."""
        return tuple(CoreTarget(btf) for btf in self._module_btfs())

    def matcher(self, local: Btf) -> Matcher:
        """Give the comparer between an object's types and ours."""
        from bpfctl.btf.core_match import Matcher as NewMatcher  # few objects match whole types

        return self._matchers.setdefault(local, NewMatcher(local, self.btf))


def resolve(local: Btf, relo: CoreRelo, target: CoreTarget) -> CoreFixup:
    """Work out one relocation of an object with types `local`.

    What the kernel does not have is no error here: the fixup is then 0 or poison, as its kind
    demands, and says why.
    Raises: RelocationError for a relocation that makes no sense, an unknown kind, and for types
    of the kernel that answer differently (code "core-ambiguous"); BtfError for broken types.
    """
    same = (local, relo.type_id, relo.access, relo.kind)
    known = target.fixups.get(same)
    if known is None:
        known = target.fixups[same] = _resolve(local, relo, target)
    return known


def _resolve(local: Btf, relo: CoreRelo, target: CoreTarget) -> CoreFixup:
    insn_index = relo.insn_off // 8
    try:
        kind = CoreKind(relo.kind)
    except ValueError:
        raise RelocationError(
            f"CO-RE relocation of kind {relo.kind}, newer than bpfctl knows",
            code="core-unknown-kind",
            insn_index=insn_index,
        ) from None
    if kind is CoreKind.TYPE_ID_LOCAL:
        return CoreFixup(kind, local.type_name(relo.type_id), value=relo.type_id)
    try:
        found = _put(read_question(local, relo, kind, target), target)
        return found if found.candidates else _in_modules(local, relo, found, target)
    except RelocationError as err:
        if err.insn_index is None:
            err.insn_index = insn_index
        raise


def _in_modules(local: Btf, relo: CoreRelo, without: CoreFixup, target: CoreTarget) -> CoreFixup:
    """Ask the modules that have a type of the name; `without` is the answer where none has.

    As libbpf does (behaviour, libbpf 1.6), only when the kernel itself has no such type.
    """
    asked = [resolve(local, relo, module) for module in target.modules]
    found = [one for one in asked if one.candidates]
    answers = [one for one in found if not one.poison and one.target]
    if len({one.value for one in answers}) > 1:
        raise RelocationError(
            f"types of several modules could be meant by {without.spec_text}, and they differ",
            code="core-ambiguous",
            symbol=without.spec_text,
            evidence=[f"{one.target} says {one.value}" for one in answers],
        )
    return next(iter([*answers, *found]), without)


def read_question(local: Btf, relo: CoreRelo, kind: CoreKind, target: CoreTarget) -> Question:
    """What a relocation asks, to be put to types of the kernel. Raises: RelocationError."""
    if kind.is_field:
        return FieldQuestion(local, relo, kind, target.members)
    if kind.is_enumerator:
        return EnumeratorQuestion(local, relo, kind)
    return TypeQuestion(local, relo, kind, lambda: target.matcher(local))


def _put(question: Question, target: CoreTarget) -> CoreFixup:
    """Ask every candidate; those that have an answer must agree."""
    tried = target.candidates.of(question.local, question.root_id)
    answers: dict[int, Answer] = {}
    refusals: list[Mismatch] = []
    for type_id in tried:
        answer = question.ask(target.btf, type_id)
        if isinstance(answer, Mismatch):
            refusals.append(answer)
        else:
            answers[type_id] = answer
    words = target.candidates.word(tried)
    if not answers:
        return _not_found(question, words, refusals)
    if len({(answer.value, answer.offset_bits) for answer in answers.values()}) > 1:
        raise _ambiguous(question, target, answers)
    target.candidates.keep(question.local, question.root_id, tuple(answers))
    type_id, answer = next(iter(answers.items()))
    return CoreFixup(
        question.kind,
        question.text,
        value=answer.value,
        original=question.original(),
        value_bits=answer.value_bits,
        memory=answer.memory,
        target=target.candidates.word((type_id,))[0],
        candidates=words,
        reason=answer.memory.obstacle if answer.memory else "",
    )


def _not_found(
    question: Question, candidates: tuple[str, ...], refusals: list[Mismatch]
) -> CoreFixup:
    """Existence is 0, and so are size and id of a type; everything else has no value at all."""
    no_type = Mismatch(f"the kernel has no {question.root_text}")
    why = refusals[0] if refusals else no_type
    poison = not question.kind.is_existence and (
        question.kind.is_field or question.kind.is_enumerator
    )
    return CoreFixup(
        question.kind,
        question.text,
        original=None if poison else question.original(),
        poison=poison,
        candidates=candidates,
        reason=why.reason,
        missing=why.missing,
        available=why.available,
    )


def _ambiguous(
    question: Question, target: CoreTarget, answers: dict[int, Answer]
) -> RelocationError:
    words = target.candidates.word(tuple(answers))
    return RelocationError(
        f"several types of the kernel could be {question.root_text}, and they differ",
        code="core-ambiguous",
        symbol=question.text,
        evidence=[
            f"{word} says {answer.value} for {question.kind.name.lower().replace('_', ' ')}"
            for word, answer in zip(words, answers.values(), strict=True)
        ],
        remedy="declare only the members that tell the right one, or check for them first",
    )
