"""Refused for lack of rights: which, and what to do, in so many words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.powers import named, pinned_below, run_with

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.explains("capabilities-missing")
@pytest.mark.parametrize(
    ("held", "lacks", "remedy"),
    [
        pytest.param((), "CAP_BPF, CAP_NET_ADMIN", "CAP_BPF and CAP_NET_ADMIN", id="none"),
        pytest.param(("CAP_BPF",), "CAP_NET_ADMIN", "CAP_BPF and CAP_NET_ADMIN", id="one"),
    ],
)
def test_a_load_names_all_that_it_lacks(
    held: tuple[str, ...], lacks: str, remedy: str, data: Path, bpffs: Path
) -> None:
    words = ["prog", "load", str(data / "capabilities.bpf.o"), str(bpffs / "x")]
    ran = run_with(named(held), [*words, "--program", "xdp_pass"])
    assert (ran.status, ran.error["code"]) == (4, "capabilities-missing")
    assert ran.error["evidence"] == [f"this process lacks {lacks}"]
    assert ran.error["remedy"] == f"run it as root, or with {remedy}"
    assert pinned_below(bpffs) == []
