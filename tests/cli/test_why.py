"""`why`: its words, and the warning about LSM programs that will never run."""

from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest
from bpfctl.commands.attach_notes import note_lsm

from bpfctl.explain import why_places
from bpfctl.kernel.uapi import ProgType
from tests.cli.runner import in_process

WARNING = """\
bpfctl: warning: {} will never run: bpf is not among the active LSMs
  evidence   active LSMs: yama
  remedy     boot with lsm=yama,bpf
  code       lsm-inactive        more: bpfctl explain lsm-inactive
"""


@pytest.mark.parametrize("text", ["x", "-1", "nan", "3601"])
def test_no_time(text: str) -> None:
    done = in_process("why", "7", "--for", text)
    assert done.status == 2
    assert done.err == f'bpfctl: "{text}" is no time: expected seconds, from 0 to 3600\n'


def test_no_program() -> None:
    assert in_process("why").status == 2
    assert in_process("why", "id", "x").status == 2


@pytest.mark.parametrize(
    ("attached", "lsms", "expected"),
    [
        pytest.param([("a", ProgType.XDP)], ["yama"], "", id="other-type"),
        pytest.param([("a", ProgType.LSM)], ["yama", "bpf"], "", id="active"),
        pytest.param([("a", ProgType.LSM)], None, "", id="unknown"),
        pytest.param([("a", ProgType.LSM)], ["yama"], "program a", id="one"),
        pytest.param([("a", ProgType.LSM), ("b", 29)], ["yama"], "programs a, b", id="two"),
    ],
)
def test_the_warning(
    attached: list[tuple[str, int]],
    lsms: list[str] | None,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(why_places, "active_lsms", lambda: lsms)
    with redirect_stderr(io.StringIO()) as said:
        note_lsm(attached)
    assert said.getvalue() == (WARNING.format(expected) if expected else "")
