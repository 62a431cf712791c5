"""Names of PMUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfctl.linux.pmus import pmu_name

if TYPE_CHECKING:
    from pathlib import Path


def test_pmu_name(tmp_path: Path) -> None:
    for name, text in {"a_broken": "x\n", "b_clock": "6\n", "c_other": "7\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "type").write_text(text)
    (tmp_path / "empty").mkdir()
    assert pmu_name(6, str(tmp_path)) == "b_clock"
    assert pmu_name(8, str(tmp_path)) is None
    assert pmu_name(6, str(tmp_path / "absent")) is None
