"""Walking and opening objects by id, by the kernel's answers."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from bpfctl.errors import NotFoundError, SyscallError
from bpfctl.kernel.uapi import Cmd
from bpfctl.linux import caps
from bpfctl.objects.ids import ObjectKind, ids, open_id
from tests.fakes.kernel import FakeKernel

COMMANDS = [
    pytest.param(ObjectKind.PROG, Cmd.PROG_GET_NEXT_ID, Cmd.PROG_GET_FD_BY_ID, id="programs"),
    pytest.param(ObjectKind.MAP, Cmd.MAP_GET_NEXT_ID, Cmd.MAP_GET_FD_BY_ID, id="maps"),
    pytest.param(ObjectKind.LINK, Cmd.LINK_GET_NEXT_ID, Cmd.LINK_GET_FD_BY_ID, id="links"),
    pytest.param(ObjectKind.BTF, Cmd.BTF_GET_NEXT_ID, Cmd.BTF_GET_FD_BY_ID, id="BTF"),
]


def walk(*present: int) -> Any:
    """Return a kernel with these objects."""

    def answer(union: Any, size: int) -> int:
        del size
        later = [number for number in present if number > union.start_id]
        if not later:
            return -errno.ENOENT
        union.next_id = later[0]
        return 0

    return answer


@pytest.mark.parametrize(("kind", "next_id", "by_id"), COMMANDS)
def test_walk_and_open(kind: ObjectKind, next_id: Cmd, by_id: Cmd) -> None:
    kernel = FakeKernel()
    kernel.on(next_id, walk(3, 4, 1 << 31)).on(by_id, kernel.new_fd)
    with kernel:
        assert list(ids(kind)) == [3, 4, 1 << 31]
        with open_id(kind, 1 << 31):
            assert kernel.calls[-1].attr.prog_id == 1 << 31


def test_nothing_loaded() -> None:
    with FakeKernel().on(Cmd.MAP_GET_NEXT_ID, walk()):
        assert list(ids(ObjectKind.MAP)) == []


@pytest.fixture
def powerless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "effective_mask", lambda status: 0)


def test_not_allowed_to_list(powerless: None) -> None:
    with (
        FakeKernel().on(Cmd.LINK_GET_NEXT_ID, -errno.EPERM),
        pytest.raises(
            SyscallError, match="list links: not permitted without CAP_SYS_ADMIN"
        ) as caught,
    ):
        list(ids(ObjectKind.LINK))
    assert caught.value.call == "BPF_LINK_GET_NEXT_ID"
    assert caught.value.evidence == ["this process lacks CAP_SYS_ADMIN"]


def test_an_id_that_does_not_advance_ends_the_walk() -> None:
    """A kernel that answers 0 again and again must not keep us for ever."""
    with FakeKernel().on(Cmd.MAP_GET_NEXT_ID, 0):
        assert list(ids(ObjectKind.MAP)) == []


@pytest.mark.parametrize(
    ("kind", "command", "number", "words"),
    [
        pytest.param(
            ObjectKind.BTF,
            Cmd.BTF_GET_FD_BY_ID,
            errno.ENOENT,
            "no BTF object has id 7",
            id="none",
        ),
        pytest.param(
            ObjectKind.LINK,
            Cmd.LINK_GET_FD_BY_ID,
            errno.EAGAIN,
            "no link has id 7",
            id="a link that is just being made",
        ),
    ],
)
def test_no_such_id(kind: ObjectKind, command: Cmd, number: int, words: str) -> None:
    with FakeKernel().on(command, -number), pytest.raises(NotFoundError) as caught:
        open_id(kind, 7, "list")
    assert str(caught.value) == words


def test_not_allowed_to_open(powerless: None) -> None:
    with (
        FakeKernel().on(Cmd.PROG_GET_FD_BY_ID, -errno.EPERM),
        pytest.raises(SyscallError, match="open program: not permitted without") as caught,
    ):
        open_id(ObjectKind.PROG, 7)
    assert caught.value.remedy == "run it as root, or with CAP_SYS_ADMIN"


def test_refused_although_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A security module may refuse too: then no capability is blamed."""
    monkeypatch.setattr(caps, "effective_mask", lambda status: -1)
    with (
        FakeKernel().on(Cmd.PROG_GET_FD_BY_ID, -errno.EPERM),
        pytest.raises(SyscallError, match="open program: operation not permitted") as caught,
    ):
        open_id(ObjectKind.PROG, 7)
    assert (caught.value.code, caught.value.evidence) == ("syscall-failed", [])
