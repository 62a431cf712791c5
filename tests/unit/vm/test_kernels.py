"""The kernels of the matrix: what their packages must hold, and how long they are new enough."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.vm import kernels
from tests.vm.cache import cache
from tests.vm.errors import LastingError, VmError
from tests.vm.kernels import FRESH_S, Kernel, kernel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.vm.kernels import Series


@pytest.mark.parametrize("name", ["boot/config-5.10.0", "usr/lib/modules/7.3.4/config"])
def test_what_debian_moved_is_found(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).touch()
    found = kernels._one(tmp_path, "boot/config-*", "usr/lib/modules/*/config")
    assert found == tmp_path / name


def test_what_the_packages_lack(tmp_path: Path) -> None:
    with pytest.raises(VmError, match="no boot/vmlinuz-"):
        kernels._one(tmp_path, "boot/vmlinuz-*")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The series that the archive was asked about; it has nothing."""
    asked: list[str] = []

    def fetch(series: Series) -> Kernel:
        asked.append(series.name)
        raise LastingError("it does not answer")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kernels, "_fetch", fetch)
    return asked


def have(name: str, *, age_s: float) -> Path:
    """Put a kernel into the cache."""
    place = cache() / "kernels" / "some"
    place.mkdir(parents=True)
    (place / "release").write_text("7.3.4-cloud")
    kernels._noted(name).write_text('{"place": "some"}')
    noted = time.time() - age_s
    os.utime(kernels._noted(name), (noted, noted))
    return place


@pytest.mark.parametrize(
    ("age_s", "times"), [(0, 0), (FRESH_S + 60, 1)], ids=["fresh", "yesterday's"]
)
def test_the_cache_will_do(age_s: float, times: int, asked: list[str]) -> None:
    place = have("7.3", age_s=age_s)
    assert kernel("7.3") == Kernel("7.3", "7.3.4-cloud", place, kernels._series("7.3").words)
    assert asked == ["7.3"] * times


def test_a_kernel_that_cannot_be_had(asked: list[str]) -> None:
    with pytest.raises(LastingError, match=r"Linux 6\.1 cannot be had: it does not answer"):
        kernel("6.1")
    assert asked == ["6.1"]
