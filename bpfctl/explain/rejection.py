"""Explain a rejection: the rule that was broken, where, what led there, and what to change."""

from __future__ import annotations

import re

from bpfctl.explain.verifier_hot import hottest
from bpfctl.explain.verifier_messages import recognise
from bpfctl.explain.verifier_newer import name_newer
from bpfctl.explain.verifier_path import Way
from bpfctl.explain.verifier_report import find_report
from bpfctl.explain.verifier_rules_program import COMPLEXITY
from bpfctl.explain.verifier_second_look import look_again, without_words
from bpfctl.explain.verifier_steps import walk
from bpfctl.loader.verifier_log import failing_insn, objections
from bpfctl.rejected import ProgramCode, Rejection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from bpfctl.errors import VerifierError
    from bpfctl.explain.verifier_messages import Match
    from bpfctl.rejected import KernelReport, Place

# Rules that a test on the way would have kept.
_TO_TEST: Final = re.compile(r"verifier-(?:null-check-missing|index-\w|size-\w)")
_LINES: Final = 3  # of what the verifier objects to
# Codes that the loader sets, which knows more than the log.
_LOADER_KNOWS: Final = frozenset(
    {"core-relocation-unresolved", "extern-unresolved", "kernel-variable-hidden"}
)


def explain_rejection(error: VerifierError) -> VerifierError:
    """Fill in message, code, evidence, remedy and `rejection`, and return the error itself.

    The library's users get what the command line prints. What the loader found out already (an
    access or a call that nothing in this kernel fits) stays the headline.
    """
    lines = objections(error.reason or error.log)
    whole, code = error.missing_bytes == 0, _code_of(error)
    match, rejection = analyse(
        error.log, code, lines, ends=not error.lost_end, begins=whole or error.lost_end
    )
    if not lines and (match := without_words(error.errno or 0, code)):
        rejection = rejection._replace(change=match.change(None))
    _locate(error, rejection)
    if error.code in _LOADER_KNOWS:
        error.message = f"rejected: {error.unresolved or rejection.message}"
    else:
        error.message = f"rejected: {_headline(error, match, rejection)}"
        error.code = match.code if match and error.code == error.default_code else error.code
        error.remedy = error.remedy or rejection.change or None
    if error.states:
        rejection = rejection._replace(registers=_registers(error.states, rejection))
    found = _evidence(error, rejection)
    error.rejection = rejection._replace(evidence=tuple(found))
    error.evidence = [*found, *error.evidence]
    return error


def _registers(states: str, rejection: Rejection) -> tuple[tuple[str, str], ...]:
    """Registers before the refused instruction, out of a log that has them."""
    steps = walk(states)
    if not steps or steps[-1].insn != rejection.insn:
        return rejection.registers
    return tuple(steps[-1].before.items())


def _locate(error: VerifierError, rejection: Rejection) -> None:
    """Fill in the place where the loader did not find it in the log."""
    error.insn = rejection.insn if error.insn is None else error.insn
    source = rejection.source
    if error.file is None and source is not None:
        error.file, error.line, error.source = source.file, source.line, source.text.strip()


def _code_of(error: VerifierError) -> ProgramCode:
    return next((one for one in error.facts if isinstance(one, ProgramCode)), ProgramCode(b""))


def analyse(
    log: str,
    code: ProgramCode,
    lines: Sequence[str],
    *,
    begins: bool = True,
    ends: bool = True,
) -> tuple[Match | None, Rejection]:
    """Everything log and code tell about a rejection; `lines` are the objections in it. Pure.

    `begins` and `ends` say whether the log has its beginning and its end.
    """
    match = recognise(lines)
    insn = failing_insn(log if ends else "\n".join(lines))
    if match:
        match = name_newer(match, code, insn)
    if insn is None and match and isinstance(match.fields.get("insn"), int):
        insn = match.fields["insn"]
    steps = walk(log) if ends and insn is not None else ()
    if steps and steps[-1].insn != insn:
        steps = ()  # the objection is about another instruction than the last one
    way = Way(code, steps, match.register if match else None, match.origin_insn if match else None)
    way.begins &= begins
    match = look_again(match, lines, way) if match else None
    kernel = find_report(log)
    complexity = match is not None and match.code in COMPLEXITY
    return match, Rejection(
        message="\n".join(lines[:_LINES]),
        insn=insn,
        source=code.source(insn) if insn is not None else None,
        access=way.access,
        register=way.register,
        registers=way.registers,
        origin=way.origin,
        path=() if complexity else way.places(),
        untested=way.untested and match is not None and bool(_TO_TEST.match(match.code)),
        change=_change(match, way, kernel),
        hot=hottest(log, code) if complexity else (),
        kernel=kernel,
    )


def _change(match: Match | None, way: Way, kernel: KernelReport | None) -> str:
    if match:
        return match.change(way.variable)
    return kernel.suggestion if kernel else ""


def _headline(error: VerifierError, match: Match | None, rejection: Rejection) -> str:
    if match:
        return match.headline
    if rejection.kernel and rejection.kernel.headline:
        return rejection.kernel.headline
    return rejection.message.split("\n", 1)[0] or error.errno_name


def _evidence(error: VerifierError, rejection: Rejection) -> list[str]:
    """What was seen, for those who read errors as data or in a log."""
    found = []
    if error.insn is not None:
        found.append(_where(error.insn, error.file, error.line, error.source))
    found += [
        f"the kernel says: {line}"
        for line in rejection.message.split("\n")
        if line and not error.message.endswith(line)
    ]
    if rejection.origin:
        found.append(f"R{rejection.register}: {_origin(rejection.origin)}")
    found += [
        f"{one.share:.0%} of the instructions walked are of {one.source.file}:{one.source.line}"
        for one in rejection.hot
    ]
    return found


def _origin(place: Place) -> str:
    where = f", {place.source.file}:{place.source.line}" if place.source else ""
    return f"insn {place.insn}{where}: {place.text}"


def _where(insn: int, file: str | None, line: int | None, source: str | None) -> str:
    return f"insn {insn}" if file is None else f"insn {insn}, {file}:{line}    {source}"
