"""Trace events, in a directory that looks like tracefs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from bpfctl.errors import NotFoundError, PathError, SyscallError, UsageError
from bpfctl.kernel import mount_private
from bpfctl.linux import tracefs
from bpfctl.linux.mounts import Mount

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory that is taken for the one tracefs."""
    event = tmp_path / "events/sched/sched_switch"
    event.mkdir(parents=True)
    (event / "id").write_text("316\n")
    (tmp_path / "events/sched/enable").touch()
    monkeypatch.setattr(tracefs, "mounts", lambda: [Mount(str(tmp_path), "/", "tracefs", 1)])
    return tmp_path


@pytest.mark.usefixtures("place")
def test_the_number_of_an_event() -> None:
    assert tracefs.tracepoint_id("sched", "sched_switch") == 316


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("category", "name", "message", "remedy"),
    [
        pytest.param(
            "sched",
            "sched_swich",
            "this kernel has no trace event in sched called sched_swich",
            "did you mean sched_switch?",
            id="name",
        ),
        pytest.param(
            "shed",
            "x",
            "this kernel has no category of trace events called shed",
            "did you mean sched?",
            id="category",
        ),
        pytest.param(
            "sched",
            "enable",
            "this kernel has no trace event in sched called enable",
            None,
            id="file",
        ),
    ],
)
def test_no_such_event(category: str, name: str, message: str, remedy: str | None) -> None:
    with pytest.raises(NotFoundError) as caught:
        tracefs.tracepoint_id(category, name)
    assert (caught.value.message, caught.value.remedy) == (message, remedy)


@pytest.mark.parametrize(("category", "name"), [("..", "x"), ("a/b", "x"), ("a", ""), ("a", "\0")])
def test_a_name_is_no_path(category: str, name: str) -> None:
    with pytest.raises(UsageError, match="is no trace event"):
        tracefs.tracepoint_id(category, name)


def test_inside_debugfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracefs, "mounts", lambda: [Mount(str(tmp_path), "/", "debugfs", 1)])
    assert tracefs.tracefs_place() is None
    (tmp_path / "tracing/events").mkdir(parents=True)
    assert tracefs.tracefs_place() == f"{tmp_path}/tracing"


def test_one_of_our_own_where_none_is_mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: str) -> NoReturn:
        raise SyscallError(1, "fsopen", f"mount a private {kind}")

    monkeypatch.setattr(tracefs, "mounts", list)
    monkeypatch.setattr(mount_private, "mount_private", refuse)
    with pytest.raises(PathError) as caught:
        tracefs.tracepoint_id("sched", "sched_switch")
    assert caught.value.code == "no-tracefs"
    assert caught.value.evidence == ["none is mounted; a private one takes CAP_SYS_ADMIN"]
    assert "operation not permitted" in caught.value.message
