"""What got worse since a baseline, and baselines that are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.check.regress import Regression, read_baseline, regressions
from bpfctl.check.verify import Verified
from bpfctl.errors import PathError

if TYPE_CHECKING:
    from pathlib import Path

BEFORE = Verified("old/a.o", "p", "success", insns=100, states=10, stack_bytes=64, duration_us=5)
CSV = (
    "object,program,verdict,insns,states,peak_states,max_states_per_insn,mark_read,stack_bytes,"
    "duration_us,reason\nold/a.o,p,success,100,10,,,,64,5,\n"
)


@pytest.mark.parametrize(
    ("now", "percent", "worse"),
    [
        pytest.param({"insns": 105}, 5, [], id="as much as is allowed"),
        pytest.param({"insns": 106}, 5, [("insns", 100, 106)], id="more"),
        pytest.param({"insns": 101}, 0, [("insns", 100, 101)], id="nothing is allowed"),
        pytest.param({"insns": 50, "states": 5}, 0, [], id="better"),
        pytest.param({"stack_bytes": 72}, 5, [("stack_bytes", 64, 72)], id="stack"),
        pytest.param({"duration_us": 500}, 5, [], id="time"),
        pytest.param({"peak_states": 5}, 5, [], id="not known before"),
        pytest.param(
            {"verdict": "failure", "insns": 500}, 5, [("verdict", "success", "failure")],
            id="refused",
        ),
    ],
)  # fmt: skip
def test_regressions(
    now: dict[str, Any], percent: float, worse: list[tuple[str, object, object]]
) -> None:
    fields: dict[str, Any] = {"verdict": "success", "insns": 100, **now}
    one = Verified("new/a.o", "p", **fields)
    found = list(regressions([one], {("a.o", "p"): BEFORE}, percent))
    assert [(one.what, one.before, one.now) for one in found] == worse
    assert list(regressions([one], {("b.o", "p"): BEFORE}, percent)) == []


def test_words() -> None:
    one = Regression("a.o", "p", "insns", 1, 2)
    assert one.to_json() == {
        "object": "a.o", "program": "p", "what": "insns", "before": 1, "now": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(CSV, id="csv"),
        pytest.param(json.dumps([{"verified": [BEFORE.to_json()]}]), id="json"),
        pytest.param(
            json.dumps({"verified": [BEFORE.to_json()]}) + '\n{"verified": []}\n', id="jsonl"
        ),
        pytest.param(json.dumps({"verified": [BEFORE.to_json()]}, indent=1), id="one report"),
    ],
)
def test_baselines(tmp_path: Path, text: str) -> None:
    path = tmp_path / "base"
    path.write_text(text)
    assert read_baseline(str(path)) == {("a.o", "p"): BEFORE}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a,b\n1,2\n", id="another table"),
        pytest.param(CSV.replace("100", "many").encode(), id="no numbers"),
        pytest.param(CSV.replace("success", "1 of 1").encode(), id="another verdict"),
        pytest.param(b"[1]", id="another document"),
        pytest.param(b"{}", id="a report without the verifier's word"),
        pytest.param(b"[", id="cut"),
        pytest.param(b"\xff", id="no text"),
    ],
)
def test_what_is_no_baseline(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "base"
    path.write_bytes(data)
    with pytest.raises(PathError, match="is no baseline") as info:
        read_baseline(str(path))
    assert info.value.code == "baseline"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="cannot read it"):
        read_baseline(str(tmp_path / "none"))
