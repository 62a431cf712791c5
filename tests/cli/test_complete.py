"""What the shells ask for on Tab, answered without a kernel."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import SyscallError
from bpfctl.objects import link, map, prog  # noqa: A004 - the module is named as its objects
from tests.cli.runner import Done, in_process

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = [
        SimpleNamespace(id=10, name="on_exec", tag="ab12"),
        SimpleNamespace(id=9, name="evil name;rm", tag="cd34"),
        SimpleNamespace(id=11, name="on_exec", tag="ab12"),
        SimpleNamespace(id=12, name="", tag="ef56"),
    ]
    monkeypatch.setattr(prog, "programs", lambda: iter(programs))
    monkeypatch.setattr(map, "maps", lambda: iter([SimpleNamespace(id=3, name="routes")]))
    monkeypatch.setattr(link, "links", lambda: iter([SimpleNamespace(id=5)]))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("prog", "id"), "9\n10\n11\n12\n"),
        (("prog", "name"), "on_exec\n"),
        (("prog", "tag"), "ab12\ncd34\nef56\n"),
        (("map", "name"), "routes\n"),
        (("link", "id"), "5\n"),
        (("link", "name"), ""),
        (("nothing", "id"), ""),
    ],
)
def test_answers(words: tuple[str, ...], expected: str) -> None:
    assert in_process("__complete", *words) == Done(0, expected, "")


def test_whoever_may_not_look_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Iterator[object]:
        raise SyscallError(errno.EPERM, "BPF_PROG_GET_NEXT_ID", "list programs")
        yield

    monkeypatch.setattr(prog, "programs", refused)
    assert in_process("__complete", "prog", "id") == Done(0, "", "")


def test_it_is_not_for_people() -> None:
    assert "__complete" not in in_process("--help").out
