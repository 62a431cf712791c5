"""Names that try to drive the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from bpfctl.commands.clean import clean, clean_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain_name", "plain_name", id="plain"),
        pytest.param("", "", id="empty"),
        pytest.param("größe 名前", "größe 名前", id="letters of any script stay"),
        pytest.param("a\x1b[2Jb", "a\\x1b[2Jb", id="escape sequence"),
        pytest.param("a\nroot\tb\r", "a\\x0aroot\\x09b\\x0d", id="lines and tabs"),
        pytest.param("\x00\x7f", "\\x00\\x7f", id="NUL and DEL"),
        pytest.param("\x9b31m", "\\x9b31m", id="C1: CSI in one byte"),
        pytest.param("a\u202eb\u2066c", "a\\u202eb\\u2066c", id="bidi override"),
        pytest.param("a\u200fb\u061cc", "a\\u200fb\\u061cc", id="bidi marks"),
        pytest.param("\u2028\ufeff", "\\u2028\\ufeff", id="separator and BOM"),
        pytest.param("f\udcffo", "f\\xffo", id="bytes that are no UTF-8"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_nothing_harmful_is_left() -> None:
    text = clean("".join(map(chr, range(0x3000))))
    bidi = {"RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"}
    assert [c for c in text if unicodedata.category(c) == "Cc"] == []
    assert [c for c in text if unicodedata.bidirectional(c) in bidi] == []


def test_lines_stay_lines() -> None:
    assert clean_lines("0: r0\n\t1: \x1b[m") == "0: r0\n    1: \\x1b[m"
