"""Names from the kernel and from files, made safe for a terminal."""

from __future__ import annotations

# C0 and DEL, C1, the bidirectional controls that can reorder what a person reads, line and
# paragraph separators, and lone surrogates (bytes that are no UTF-8).
_HARMFUL = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200E, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


_TABLE = {code: _escape(code) for code in _HARMFUL}
_TABLE.update({code: f"\\x{code - 0xDC00:02x}" for code in range(0xDC80, 0xDD00)})


def clean(text: str) -> str:
    r"""Return text with every control character escaped as it is in Python and C source.

    Any program may call itself `\x1b[2J` or `x\nroot`; a listing must show that and not obey it.
    """
    return text if text.isascii() and text.isprintable() else text.translate(_TABLE)


def clean_lines(text: str) -> str:
    """Clean text of several lines (a verifier log): line breaks and tabs stay."""
    return "\n".join(clean(line.replace("\t", "    ")) for line in text.split("\n"))
