"""The kernel's list of CPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.errors import PathError
from bpfctl.linux import cpus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Read the list anew in each test."""
    cpus.possible_cpu_numbers.cache_clear()
    yield
    cpus.possible_cpu_numbers.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0\n", (0,), id="one"),
        pytest.param("0-3\n", (0, 1, 2, 3), id="range"),
        pytest.param("0-1,4,6-7\n", (0, 1, 4, 6, 7), id="holes"),
    ],
)
def test_lists(text: str, expected: tuple[int, ...]) -> None:
    assert cpus.parse_cpu_list(text) == expected


@pytest.mark.parametrize("text", ["", "\n", "x", "3-1", "-1", "0-", "0,", "0-99999999999", "1--2"])
def test_nonsense_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|no list of CPUs"):
        cpus.parse_cpu_list(text)


def test_count_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "possible"
    file.write_text("0-1,8\n")
    monkeypatch.setattr(cpus, "POSSIBLE", str(file))
    assert cpus.possible_cpus() == 3


def test_a_missing_file_is_our_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpus, "POSSIBLE", str(tmp_path / "absent"))
    with pytest.raises(PathError) as caught:
        cpus.possible_cpus()
    assert caught.value.code == "possible-cpus-unknown"


def test_cpus_that_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "online"
    monkeypatch.setattr(cpus, "ONLINE", str(file))
    with pytest.raises(PathError) as caught:
        cpus.online_cpu_numbers()
    assert (caught.value.code, caught.value.subject) == ("online-cpus-unknown", str(file))
    file.write_text("0,2-3\n")
    assert cpus.online_cpu_numbers() == (0, 2, 3)
