"""Errors in words or in JSON, and the exit status they end in."""

from __future__ import annotations

import errno

from bpfctl.errors import (
    BpfctlError,
    ExternError,
    KeyNotFoundError,
    NotFoundError,
    NotSupportedError,
    SectionNameError,
    SyscallError,
    UsageError,
    VerifierError,
)

from .blocks import labelled
from .clean import clean, clean_lines
from .output import say, write_json
from .status import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Context

# Fields of a rejection that are above in words.
_SHOWN = ("log", "kernel_message", "kernel_report", "origin", "path", "hot_lines", "program_types")
LOG_LINES = 20  # of a verifier log that could not be saved


_BY_CLASS: tuple[tuple[type[BpfctlError], Status], ...] = (
    (UsageError, Status.USAGE),
    (NotFoundError, Status.NOT_FOUND),
    (KeyNotFoundError, Status.NOT_FOUND),
    (NotSupportedError, Status.NOT_SUPPORTED),
    (ExternError, Status.NOT_SUPPORTED),
    (VerifierError, Status.REJECTED),
)


def status_of(err: BaseException) -> Status:
    """Return the exit status an error ends in."""
    for kind, status in _BY_CLASS:
        if isinstance(err, kind):
            return status
    origin = err if isinstance(err, OSError) else err.__cause__
    if isinstance(origin, OSError) and origin.errno in {errno.EPERM, errno.EACCES}:
        return Status.NOT_PERMITTED
    return Status.FAILED


def explained(err: Exception) -> Exception:
    """Return the error to report: with its cause, where the library's checks confirm one."""
    if not isinstance(err, SyscallError) or err.explained:
        return err
    from bpfctl.explain.engine import explain

    return explain(err)


def report(out: Context, err: Exception) -> None:
    """Tell of an error: on standard error in words, or on standard output in JSON mode."""
    known = err if isinstance(err, BpfctlError) else _foreign(err)
    if isinstance(known, VerifierError):
        _keep_log(known, debug=out.debug)
    if out.json:
        write_json(out, {"error": as_json(known)})
    else:
        say("\n".join(as_text(known, debug=out.debug)))
    if out.debug and not isinstance(err, UsageError):
        _traceback(err)


def as_json(err: BpfctlError) -> dict[str, object]:
    """Return every field of an error; the fields all errors have are always there."""
    return {
        "code": err.code,
        "message": _message(err),
        "operation": err.operation,
        "object": err.subject,
        "program": err.program,
        **(err.refusal.details() if err.refusal else {}),
        **err.details(),
        "evidence": err.evidence,
        "candidates": err.candidates,
        "remedy": err.remedy,
        "status": int(status_of(err)),
    }


def as_text(err: BpfctlError, *, debug: bool = False) -> Iterator[str]:
    """Yield the lines for a person: what failed and why, the evidence, the remedy, the details."""
    subject = f"{clean(err.subject)}: " if err.subject else ""
    yield f"bpfctl: {subject}{clean(_message(err))}"
    if isinstance(err, SectionNameError) and err.suggestions:
        names = " or ".join(f'"{clean(name)}"' for name in err.suggestions)
        yield f"  did you mean {names}?"
    if isinstance(err, VerifierError) and err.rejection:
        yield from _rejection(err, debug=debug)
    else:
        yield from _reasons(err, debug=debug)
    if err.undone and (err.refusal or isinstance(err, SyscallError)):
        yield "  nothing was left behind"
    if debug:
        yield from _details(err)


def _reasons(err: BpfctlError, *, debug: bool) -> Iterator[str]:
    yield from labelled("evidence", err.evidence)
    yield from labelled("could be", err.candidates)
    yield from labelled("remedy", [err.remedy] if err.remedy else [])
    told = err.code != err.default_code and not isinstance(err, UsageError)
    if debug or told:  # the general codes and those of typing errors help nobody
        yield from labelled("code", [err.code + more(err.code)])
    if isinstance(err, VerifierError):
        yield from _log(err, whole=debug)


def _message(err: BpfctlError) -> str:
    return f"program {err.program}: {err.message}" if err.program else err.message


def more(code: str) -> str:
    """Say where to read on, if the catalogue has more to say."""
    from bpfctl.explain.catalogue.index import entries

    return f"        more: bpfctl explain {code}" if code in entries() else ""


def _rejection(err: VerifierError, *, debug: bool) -> Iterator[str]:
    from .rejection_view import explanation

    if err.rejection:
        yield from explanation(err, err.rejection)
    if err.log_wanted != "none":
        yield from _log(err, whole=debug or err.log_wanted == "full")
    if debug or err.code != err.default_code:
        yield from labelled("code", [err.code + more(err.code)])


def _keep_log(err: VerifierError, *, debug: bool) -> None:
    """Save a log that is not shown because it is longer than what is left of the screen."""
    if debug or err.log_wanted in {"none", "full"} or not err.log.strip():
        return
    from .rejection_view import LINES, explanation

    told = len(explanation(err, err.rejection)) + 2 if err.rejection else LINES
    if told + err.log.count("\n") >= LINES:
        from .saved_log import save_log

        err.log_path = save_log(err)


def _log(err: VerifierError, *, whole: bool) -> Iterator[str]:
    """Yield the verifier log, or where it is, or its end; say what the kernel cut off."""
    text = err.log.rstrip("\n")
    if not text.strip():
        return
    total = text.count("\n") + 1
    count = "1 line" if total == 1 else f"{total} lines"
    if err.log_path:
        yield from labelled("log", [*_lost(err), f"{err.log_path} ({count})"])
        return
    shown = text.split("\n") if whole else text.rsplit("\n", LOG_LINES)[-LOG_LINES:]
    note = "" if len(shown) == total else f", the last {len(shown)} here (-d shows all)"
    yield from labelled("log", [*_lost(err), count + note])
    yield from (f"    {clean_lines(line)}" for line in shown)


def _lost(err: VerifierError) -> Iterator[str]:
    if err.missing_bytes != 0:
        lost = "some" if err.missing_bytes is None else str(err.missing_bytes)
        where = "end" if err.kept_beginning else "beginning"
        yield f"truncated: {lost} bytes of its {where} missing (--log-size BYTES for more)"


def _details(err: BpfctlError) -> Iterator[str]:
    fields = {"operation": err.operation, **err.details()}
    for shown in _SHOWN:
        fields.pop(shown, None)
    known = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    yield from labelled("details", [*known, *_request(err.refusal or err)])


def _request(err: BpfctlError) -> Iterator[str]:
    """Yield what was asked of the kernel: the fields of the request, addresses too, as sent."""
    request = err.request if isinstance(err, SyscallError) else None
    if request is not None:
        pairs = [(name, request.value(name)) for name in request.fields]
        words = (
            f"{name}={value:#x}" if value >> 32 else f"{name}={value}" for name, value in pairs
        )
        sent = ", ".join(words)
        yield f"request: {sent or 'all zero'} ({request.size} bytes)"


def _foreign(err: Exception) -> BpfctlError:
    """Word an exception that the library should have worded itself."""
    if isinstance(err, OSError) and err.strerror:
        subject = str(err.filename) if err.filename is not None else None
        return BpfctlError(err.strerror.lower(), code="system", subject=subject)
    text = " ".join(f"{type(err).__name__}: {err}".split())
    return BpfctlError(
        f"internal error ({text})",
        code="internal",
        remedy="this is a fault of bpfctl: please report it with what -d shows",
    )


def _traceback(err: Exception) -> None:
    from traceback import format_exception

    say(clean_lines("".join(format_exception(err)).rstrip("\n")))
