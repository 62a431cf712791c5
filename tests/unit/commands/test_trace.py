"""What --debug shows of each bpf(2) call."""

from __future__ import annotations

import errno

import pytest
from bpfctl.commands.trace import show_call, tracing

from bpfctl.kernel import bpf


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (5, "bpf(BPF_MAP_CREATE, 72 bytes) = 5  12 us  create map x\\x1b\n"),
        (-errno.EPERM, "bpf(BPF_MAP_CREATE, 72 bytes) = EPERM  12 us  create map x\\x1b\n"),
        (-524, "bpf(BPF_MAP_CREATE, 72 bytes) = -524  12 us  create map x\\x1b\n"),
    ],
)
def test_a_call(result: int, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_call("BPF_MAP_CREATE", "create map x\x1b", 72, result, 12_345)
    assert capsys.readouterr() == ("", shown)


def test_the_tracer_is_taken_away_again() -> None:
    def body() -> None:
        with tracing():
            assert bpf._tracer is show_call
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        body()
    assert bpf._tracer is None
