"""Names of kernel addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfctl.linux.kallsyms import Symbol, symbols_at

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
