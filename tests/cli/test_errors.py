"""What happens when a command fails in its midst, seen from outside."""

from __future__ import annotations

import errno

import pytest
from bpfctl.commands import version as version_module
from bpfctl.commands.declare import Exit

from bpfctl.errors import NotFoundError, SyscallError
from tests.cli.runner import Done, in_process


def failing(monkeypatch: pytest.MonkeyPatch, err: BaseException) -> None:
    def read() -> version_module.VersionRecord:
        raise err

    monkeypatch.setattr(version_module, "read_versions", read)


def test_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, NotFoundError("no program has id 7", remedy="bpfctl prog show lists all"))
    assert in_process("version") == Done(
        3, "", "bpfctl: no program has id 7\n  remedy     bpfctl prog show lists all\n"
    )


def test_an_error_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    err = SyscallError(errno.EPERM, "BPF_OBJ_GET", "open", subject="/sys/fs/bpf/x")
    err.explained = True  # what checks find depends on the machine
    failing(monkeypatch, err)
    done = in_process("version", "-j")
    assert (done.status, done.err) == (4, "")
    assert done.json == {
        "error": {
            "code": "syscall-failed",
            "message": "open: operation not permitted",
            "operation": "version",
            "object": "/sys/fs/bpf/x",
            "program": None,
            "errno": "EPERM",
            "call": "BPF_OBJ_GET",
            "evidence": [],
            "candidates": [],
            "remedy": None,
            "status": 4,
        }
    }


@pytest.mark.parametrize(
    ("line", "operation"),
    [
        ("prog show id 0", "prog-show"),
        ("prog list id 0", "prog-show"),
        ("map show tag ab", "map-show"),
        ("map dump", "map-dump"),
        ("link show name x", "link-show"),
        ("prog load", "prog-load"),
        ("prog show --bogus", "prog-show"),
        ("version more", "version"),
        ("prog shw", None),
    ],
)
def test_every_error_of_a_command_names_it(line: str, operation: str | None) -> None:
    done = in_process("-j", *line.split())
    assert (done.status, done.json["error"]["operation"]) == (2, operation)


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_of_ours_is_one_line_and_a_traceback_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    failing(monkeypatch, ZeroDivisionError("oops"))
    done = in_process("version", *(["-d"] if debug else []))
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines()[0] == "bpfctl: internal error (ZeroDivisionError: oops)"
    assert ("Traceback" in done.err) == debug


def test_a_fault_of_ours_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, RecursionError("too deep"))
    done = in_process("-j", "version")
    assert (done.status, done.json["error"]["code"], done.err) == (1, "internal", "")


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert in_process("version") == Done(130, "", "")


def test_a_command_may_choose_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, Exit(6))
    assert in_process("version") == Done(6, "", "")


def test_an_epipe_of_the_kernel_is_no_broken_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, SyscallError(errno.EPIPE, "BPF_X", "do x"))
    assert in_process("version").err.splitlines()[0] == "bpfctl: do x: broken pipe"
