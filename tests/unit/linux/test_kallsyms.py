"""Names of kernel addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.linux.kallsyms import Symbol, addresses_hidden, symbols_at

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
ffffffff81000000 T first
ffffffff81000000 T alias
ffffffff81000040 t second
ffffffffc0000000 t in_module\t[veth]
ffffffffc0000010
0000000000000000 T hidden
"""


def test_symbols_at(tmp_path: Path) -> None:
    (tmp_path / "kallsyms").write_text(TEXT)
    wanted = [0xFFFFFFFF81000000, 0xFFFFFFFFC0000000, 0xFFFFFFFFC0000010, 0x1234, 0]
    assert symbols_at(wanted, str(tmp_path / "kallsyms")) == {
        0xFFFFFFFF81000000: Symbol("first"),
        0xFFFFFFFFC0000000: Symbol("in_module", "veth"),
        0xFFFFFFFFC0000010: Symbol(""),
    }


def test_withheld_or_absent(tmp_path: Path) -> None:
    assert symbols_at([1], str(tmp_path / "absent")) == {}
    assert symbols_at([], str(tmp_path / "absent")) == {}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        pytest.param(TEXT, False, id="some at 0"),
        pytest.param("0000000000000000 T a\n0000000000000000 T b\n", True, id="all at 0"),
    ],
)
def test_whether_addresses_are_hidden(text: str, tmp_path: Path, *, hidden: bool) -> None:
    (tmp_path / "kallsyms").write_text(text)
    assert addresses_hidden(str(tmp_path / "kallsyms")) is hidden


def test_addresses_of_no_file_are_hidden(tmp_path: Path) -> None:
    assert addresses_hidden(str(tmp_path / "absent"))
