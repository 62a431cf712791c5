"""Names of PMUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfctl.linux.pmus import pmu_bit, pmu_name, pmu_number

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


def test_pmu_number_and_bit(tmp_path: Path) -> None:
    (tmp_path / "kprobe" / "format").mkdir(parents=True)
    (tmp_path / "kprobe" / "type").write_text("8\n")
    (tmp_path / "kprobe" / "format" / "retprobe").write_text("config:3\n")
    (tmp_path / "kprobe" / "format" / "odd").write_text("config1:0-31\n")
    root = str(tmp_path)
    assert (pmu_number("kprobe", root), pmu_number("uprobe", root)) == (8, None)
    assert [pmu_bit("kprobe", field, root) for field in ("retprobe", "odd", "absent")] == [8, 1, 1]
