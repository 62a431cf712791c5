"""Each kind of error: its words, its JSON, its status."""

from __future__ import annotations

import errno

import pytest
from bpfctl.commands.context import Context
from bpfctl.commands.errors_view import as_json, as_text, report, status_of
from bpfctl.commands.status import Status

from bpfctl.errors import (
    AmbiguousError,
    BpfctlError,
    KeyNotFoundError,
    NotFoundError,
    NotSupportedError,
    NotYetError,
    ObjectFileError,
    PathError,
    SectionNameError,
    SyscallError,
    UsageError,
    VerifierError,
)
from bpfctl.kernel.attr import map_create
from bpfctl.kernel.request import Attr
from bpfctl.kernel.uapi import Cmd


def caused(err: BpfctlError, cause: BaseException) -> BpfctlError:
    err.__cause__ = cause
    return err


@pytest.mark.parametrize(
    ("err", "status"),
    [
        (UsageError("x"), Status.USAGE),
        (NotFoundError("x"), Status.NOT_FOUND),
        (KeyNotFoundError(errno.ENOENT, "BPF_MAP_LOOKUP_ELEM", "look up"), Status.NOT_FOUND),
        (AmbiguousError("x"), Status.FAILED),
        (NotSupportedError("tcx", "6.6"), Status.NOT_SUPPORTED),
        (NotYetError("kfuncs"), Status.FAILED),
        (PathError("x"), Status.FAILED),
        (caused(PathError("x"), PermissionError(errno.EACCES, "no")), Status.NOT_PERMITTED),
        (caused(PathError("x"), FileNotFoundError(errno.ENOENT, "no")), Status.FAILED),
        (SyscallError(errno.EPERM, "BPF_PROG_LOAD", "load"), Status.NOT_PERMITTED),
        (SyscallError(errno.EACCES, "BPF_OBJ_GET", "open"), Status.NOT_PERMITTED),
        (SyscallError(errno.EINVAL, "BPF_MAP_CREATE", "create"), Status.FAILED),
        (VerifierError(errno.EACCES, "load", "R0 !read_ok"), Status.REJECTED),
        (SectionNameError("x"), Status.FAILED),
        (ObjectFileError("x"), Status.FAILED),
        (PermissionError(errno.EPERM, "no"), Status.NOT_PERMITTED),
        (ValueError("x"), Status.FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_status(err: Exception, status: Status) -> None:
    assert status_of(err) == status


FULL = BpfctlError(
    "not permitted",
    code="eperm-trampoline-refused",
    operation="prog-loadall",
    subject="trace.bpf.o",
    program="on_unlink",
    evidence=["all capabilities present", "lockdown: integrity"],
    candidates=["a site policy (check: dmesg)"],
    remedy="use tp_btf",
)


def test_the_whole_error_in_words() -> None:
    assert list(as_text(FULL)) == [
        "bpfctl: trace.bpf.o: program on_unlink: not permitted",
        "  evidence   all capabilities present",
        "             lockdown: integrity",
        "  could be   a site policy (check: dmesg)",
        "  remedy     use tp_btf",
        f"  code       {FULL.code}        more: bpfctl explain {FULL.code}",
    ]


def test_the_whole_error_in_json() -> None:
    assert as_json(FULL) == {
        "code": "eperm-trampoline-refused",
        "message": "program on_unlink: not permitted",
        "operation": "prog-loadall",
        "object": "trace.bpf.o",
        "program": "on_unlink",
        "evidence": ["all capabilities present", "lockdown: integrity"],
        "candidates": ["a site policy (check: dmesg)"],
        "remedy": "use tp_btf",
        "status": 1,
    }


def test_details_are_for_debug() -> None:
    err = SyscallError(errno.EINVAL, "BPF_MAP_CREATE", "create map x", operation="prog-load")
    err.undone = True
    assert list(as_text(err)) == [
        "bpfctl: create map x: invalid argument",
        "  nothing was left behind",
    ]
    assert list(as_text(err, debug=True)) == [
        "bpfctl: create map x: invalid argument",
        "  code       syscall-failed",
        "  nothing was left behind",
        "  details    operation: prog-load",
        "             errno: EINVAL",
        "             call: BPF_MAP_CREATE",
    ]
    assert as_json(err)["errno"] == "EINVAL"


def test_a_cause_keeps_the_answer_of_the_kernel() -> None:
    err = NotSupportedError("arenas", "6.9", code="map-type-unsupported", operation="prog-load")
    err.refusal = SyscallError(errno.EINVAL, "BPF_MAP_CREATE", "create map x")
    err.undone = True
    fields = as_json(err)
    assert (fields["errno"], fields["call"], fields["since"]) == ("EINVAL", "BPF_MAP_CREATE", "6.9")
    assert list(as_text(err)) == [
        "bpfctl: this kernel does not support arenas (since Linux 6.9)",
        f"  code       {err.code}        more: bpfctl explain {err.code}",
        "  nothing was left behind",
    ]


def test_the_request_is_a_detail() -> None:
    err = SyscallError(errno.EINVAL, "BPF_MAP_CREATE", "create map x")
    err.request = map_create(map_type=1, key_size=4, value_size=8, max_entries=16)
    lines = list(as_text(err, debug=True))
    assert lines[-1].split("request: ")[1] == (
        "map_type=1, key_size=4, value_size=8, max_entries=16 (16 bytes)"
    )
    err.request = Attr(Cmd.MAP_CREATE, "create map x")
    assert list(as_text(err, debug=True))[-1].endswith("request: all zero (0 bytes)")


def test_suggested_section_names() -> None:
    err = SectionNameError(
        'section "userblah" is no program section', path="p.o", suggestions=["user", "user/blah"]
    )
    assert list(as_text(err)) == [
        'bpfctl: p.o: section "userblah" is no program section',
        '  did you mean "user" or "user/blah"?',
    ]


def test_control_characters_are_cleaned() -> None:
    err = BpfctlError("bad\x1b[2J", subject="a\nb", evidence=["one\ntwo\x07"])
    assert list(as_text(err)) == [
        "bpfctl: a\\x0ab: bad\\x1b[2J",
        "  evidence   one",
        "             two\\x07",
    ]


def log_of(count: int) -> str:
    return "".join(f"line {number}\n" for number in range(1, count + 1))


def test_a_short_log_is_shown() -> None:
    err = VerifierError(errno.EACCES, "program x: rejected", log_of(2))
    assert list(as_text(err)) == [
        "bpfctl: program x: rejected: permission denied",
        "  log        2 lines",
        "    line 1",
        "    line 2",
    ]


def test_the_end_of_a_long_log_is_shown_and_all_of_it_with_debug() -> None:
    err = VerifierError(errno.EACCES, "rejected", log_of(50))
    lines = list(as_text(err))
    assert lines[1] == "  log        50 lines, the last 20 here (-d shows all)"
    assert lines[2:] == [f"    line {number}" for number in range(31, 51)]
    whole = list(as_text(err, debug=True))
    assert [line for line in whole if line.startswith("    line ")] == [
        f"    line {number}" for number in range(1, 51)
    ]
    assert "  log        50 lines" in whole


@pytest.mark.parametrize(
    ("missing", "kept_beginning", "words"),
    [
        (300, False, "truncated: 300 bytes of its beginning missing (--log-size BYTES for more)"),
        (None, False, "truncated: some bytes of its beginning missing (--log-size BYTES for more)"),
        (7, True, "truncated: 7 bytes of its end missing (--log-size BYTES for more)"),
    ],
)
def test_a_truncated_log_says_so(missing: int | None, kept_beginning: bool, words: str) -> None:
    err = VerifierError(
        errno.EACCES, "x", "end", missing_bytes=missing, kept_beginning=kept_beginning
    )
    assert list(as_text(err))[1:] == [f"  log        {words}", "             1 line", "    end"]


def test_no_log_is_not_mentioned() -> None:
    err = VerifierError(errno.EPERM, "x", "")
    assert list(as_text(err)) == ["bpfctl: x: operation not permitted"]


@pytest.mark.parametrize(
    ("err", "lines"),
    [
        pytest.param(
            FileNotFoundError(errno.ENOENT, "No such file or directory", "/x"),
            ["bpfctl: /x: no such file or directory", "  code       system"],
            id="OSError",
        ),
        pytest.param(
            ZeroDivisionError("division by zero"),
            [
                "bpfctl: internal error (ZeroDivisionError: division by zero)",
                "  remedy     this is a fault of bpfctl: please report it with what -d shows",
                "  code       internal",
            ],
            id="bug",
        ),
    ],
)
def test_errors_of_others(
    err: Exception, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    report(Context(), err)
    assert capsys.readouterr() == ("", "\n".join(lines) + "\n")


def test_a_traceback_only_with_debug(capsys: pytest.CaptureFixture[str]) -> None:
    report(Context(debug=True), ValueError("x"))
    assert "ValueError: x" in capsys.readouterr().err.splitlines()[-1]
