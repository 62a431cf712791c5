"""Put a verifier rejection into a few words: what was refused, and where in the C source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpfctl.loader.verifier_log import decisive_line

if TYPE_CHECKING:
    from bpfctl.errors import VerifierError

_UNRESOLVED: Final = "core-relocation-unresolved"


def explain_rejection(error: VerifierError) -> VerifierError:
    """Fill in the message and the evidence, and return the error itself.

    The headline is what the verifier objected to; the source line comes from the object's line
    information.
    """
    reason = decisive_line(error.log)
    if error.code == _UNRESOLVED:
        error.message = f"rejected: {error.evidence[0].removeprefix('CO-RE: ')}"
        del error.evidence[0]
    else:
        error.message = f"rejected: {reason or error.errno_name}"
    error.evidence = [*_source(error), *error.evidence]
    return error


def _source(error: VerifierError) -> list[str]:
    if error.insn is None:
        return []
    if error.file is None:
        return [f"insn {error.insn}"]
    return [f"insn {error.insn}, {error.file}:{error.line}    {error.source}"]
