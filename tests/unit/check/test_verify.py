"""What a verifier's log says at its end, and sums of it."""

from __future__ import annotations

from typing import Any

import pytest

from bpfctl.check.verify import Verified, statistics, total

OLD = "processed 12 insns (limit 1000000) max_states_per_insn 1 total_states 3 peak_states 2"
LOG = f"verification time 57 usec\nstack depth 8+0+16\n{OLD} mark_read 1\n"


@pytest.mark.parametrize(
    ("log", "numbers"),
    [
        pytest.param(
            LOG,
            {"insns": 12, "states": 3, "peak_states": 2, "max_states_per_insn": 1, "mark_read": 1,
             "duration_us": 57, "stack_bytes": 24},
            id="whole",
        ),
        pytest.param(
            OLD, {"insns": 12, "states": 3, "peak_states": 2, "max_states_per_insn": 1},
            id="without what not every kernel writes",
        ),
        pytest.param("R1 !read_ok\n", {}, id="nothing"),
        pytest.param(f"processed 1 insns\n{OLD}", {"insns": 12, "states": 3, "peak_states": 2,
                     "max_states_per_insn": 1}, id="the last one counts"),
    ],
)  # fmt: skip
def test_statistics(log: str, numbers: dict[str, Any]) -> None:
    assert statistics(log) == numbers


def test_total() -> None:
    found = [
        Verified("a.o", "one", "success", insns=3, states=1),
        Verified("b.o", "two", "failure", "no", insns=4),
    ]
    assert total(found) == Verified("", "total", "1 of 2", insns=7, states=1)
