"""Put a verifier rejection into a few lines: what, where in the C source, and the log's end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpfctl.loader.verifier_log import decisive_line

if TYPE_CHECKING:
    from bpfctl.errors import VerifierError

_TAIL_LINES: Final = 6
_UNRESOLVED: Final = "core-relocation-unresolved"


def explain_rejection(error: VerifierError) -> VerifierError:
    """Fill in the message, the evidence and the remedy, and return the error itself.

    The headline is what the verifier objected to; the source line comes from the object's line
    information.
    """
    reason = decisive_line(error.log)
    if error.code == _UNRESOLVED:
        error.message = f"rejected: {error.evidence[0].removeprefix('CO-RE: ')}"
        del error.evidence[0]
    else:
        error.message = f"rejected: {reason or error.strerror.lower()}"
    error.evidence = [*_source(error), *error.evidence, *_log_tail(error)]
    error.remedy = error.remedy or 'the whole log: the same command with --debug (in JSON: "log")'
    return error


def _source(error: VerifierError) -> list[str]:
    if error.insn is None:
        return []
    if error.file is None:
        return [f"insn {error.insn}"]
    return [f"insn {error.insn}, {error.file}:{error.line}    {error.source}"]


def _log_tail(error: VerifierError) -> list[str]:
    """The last lines of the log, without the statistics, and how much of it is missing."""
    lines = [
        line
        for line in error.log.splitlines()
        if line.strip() and not line.startswith(("processed ", "verification time", "stack depth"))
    ]
    shown = [f"log: {line}" for line in lines[-_TAIL_LINES:]]
    left_out = len(lines) - len(shown)
    if left_out:
        shown.insert(0, f"log: ... {left_out} lines before")
    return shown + _truncation(error)


def _truncation(error: VerifierError) -> list[str]:
    if error.missing_bytes == 0:
        return []
    amount = "some" if error.missing_bytes is None else str(error.missing_bytes)
    end = "end" if error.kept_beginning else "beginning"
    return [f"the log is truncated: {amount} bytes of its {end} are missing"]
