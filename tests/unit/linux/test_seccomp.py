"""Whether a seccomp filter decides about system calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.linux.security import seccomp_filtered

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name:\tcat\nSeccomp:\t2\nSeccomp_filters:\t1\n", True),
        ("Name:\tcat\nSeccomp:\t0\nSeccomp_filters:\t0\n", False),
        ("Name:\tcat\n", None),
    ],
)
def test_seccomp(tmp_path: Path, text: str, expected: bool | None) -> None:
    (tmp_path / "status").write_text(text)
    assert seccomp_filtered(str(tmp_path / "status")) is expected


def test_seccomp_unreadable(tmp_path: Path) -> None:
    assert seccomp_filtered(str(tmp_path / "absent")) is None
