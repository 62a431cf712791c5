"""The header of the kernel here, and programs that use it; others: `python -m tests.headers`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.headers.build import build
from tests.headers.load import complaints

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES = Path("/sys/kernel/btf/vmlinux")


@pytest.mark.timeout(300)  # the header has 700,000 lines
def test_the_header_is_right_and_its_programs_load(
    tmp_path: Path, tool: Callable[[str], str]
) -> None:
    """About 10,000 sizes and 60,000 offsets; programs of tracepoints and iterators."""
    counts = build(TYPES.read_bytes(), tmp_path, tool("clang"), trampoline=False)
    assert counts["layout"] > 50_000
    assert complaints(tmp_path, ("tp_btf", "iter")) == []
