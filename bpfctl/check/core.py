"""Check the CO-RE relocations of an object: each type, member and enumerator it asks for."""

from __future__ import annotations

from bpfctl.btf.core import resolve
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.check.finding import Finding, Kind, State, settle
from bpfctl.errors import RelocationError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Final

    from bpfctl.btf.core_fixup import CoreFixup
    from bpfctl.check.code import ProgramCode
    from bpfctl.check.kernels import Target
    from bpfctl.check.needs import Needs
    from bpfctl.elf.spec import FunctionSpec, ObjectSpec

_ASKS: Final = {
    CoreKind.FIELD_EXISTS: "exists?",
    CoreKind.TYPE_EXISTS: "exists?",
    CoreKind.TYPE_MATCHES: "matches?",
    CoreKind.ENUMVAL_EXISTS: "exists?",
}


@plain
class Asked:
    """One question of an object, with the kernel's answer and the programs that ask it."""

    name: str
    fixup: CoreFixup
    programs: tuple[str, ...]


def core_findings(
    spec: ObjectSpec,
    needs: Needs,
    codes: Mapping[str, ProgramCode],
    loaded: Collection[str],
    target: Target,
) -> Iterator[Finding]:
    """Yield a finding for each thing that CO-RE relocations ask for. Raises: RelocationError."""
    uses = _poisoned_uses(codes, loaded)
    for one in _questions(spec, needs, target):
        yield _finding(one, loaded, uses.get(one.fixup.spec_text, {}))


def _questions(spec: ObjectSpec, needs: Needs, target: Target) -> Iterable[Asked]:
    """Every question once, the worst answer of those that read alike."""
    found: dict[str, Asked] = {}
    functions = [one for one in spec.functions.values() if one.key in needs.functions]
    for function in functions:
        for fixup in _fixups(spec, function, target):
            name = " ".join(filter(None, (_short(fixup.spec_text), _ASKS.get(fixup.kind))))
            known = found.get(name)
            before = known.programs if known else ()
            who = tuple(dict.fromkeys((*before, *needs.functions[function.key])))
            worst = known.fixup if known and _is_bad(known.fixup) else fixup
            found[name] = Asked(name, worst, who)
    return found.values()


def _fixups(spec: ObjectSpec, function: FunctionSpec, target: Target) -> Iterator[CoreFixup]:
    assert spec.btf is not None
    for relo in function.core_relos:
        try:
            fixup = resolve(spec.btf, relo, target.types.core_target)
        except RelocationError as err:
            err.within(program=function.name)
            raise
        if fixup.kind is not CoreKind.TYPE_ID_LOCAL:
            yield fixup


def _short(text: str) -> str:
    """The access without the numbers of its steps."""
    words, _, numbers = text.rpartition(" (")
    return words if (numbers.endswith(")") and ":" in numbers) or numbers[:-1].isdigit() else text


def _is_bad(fixup: CoreFixup) -> bool:
    return fixup.poison or bool(fixup.reason)


def _poisoned_uses(
    codes: Mapping[str, ProgramCode], loaded: Collection[str]
) -> dict[str, dict[str, str]]:
    """Where programs reach instructions that nothing fits: place by program, by access.

    A program that does not is there too, with "".
    """
    uses: dict[str, dict[str, str]] = {}
    for name, code in codes.items():
        for at, fixup in code.poisoned.items():
            places = uses.setdefault(fixup.spec_text, {})
            if at in code.reached.insns and (name in loaded or not places.get(name)):
                places[name] = places.get(name) or code.where(at)
            else:
                places.setdefault(name, "")
    return uses


def _finding(one: Asked, loaded: Collection[str], uses: Mapping[str, str]) -> Finding:
    fixup, who = one.fixup, one.programs
    if not uses or fixup.kind.is_existence:
        return Finding(Kind.CORE, one.name, *_answered(fixup), who)
    harmed = [name for name, place in uses.items() if place]
    why = fixup.reason or "the kernel has nothing like it"
    near = fixup.nearest()
    why += f"; there is {' and '.join(near)}" if near else ""
    if not harmed:
        return Finding(Kind.CORE, one.name, State.GUARDED, f"{why}; nothing gets there", who)
    state, why = settle(State.MISSING, why, harmed, loaded)
    where = next((uses[name] for name in harmed if name in loaded), "")
    return Finding(Kind.CORE, one.name, state, why, who, where=where)


def _answered(fixup: CoreFixup) -> tuple[State, str]:
    """What becomes of a relocation that does not forbid its instruction."""
    if fixup.kind.is_existence:
        return (State.FOUND, "") if fixup.value else (State.GUARDED, "it only asks, and hears no")
    if not fixup.target:
        what = "size" if fixup.kind is CoreKind.TYPE_SIZE else "id"
        return State.GUARDED, f"the kernel has no such type: its {what} is 0 here"
    return State.FOUND, ""
