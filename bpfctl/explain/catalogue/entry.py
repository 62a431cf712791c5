"""What the catalogue says of one code."""

from __future__ import annotations

from bpfctl.plain import plain


@plain
class Entry:
    """The long form of an explanation, as `bpfctl explain CODE` and the manual print it.

    Paragraphs are separated by an empty line, commands and names stand between backquotes.
    `title` is the cause in one line without a full stop, `meaning` what is behind it, `confirmed`
    how bpfctl makes sure, `remedy` what to do, and `kernels` where and since when that is so.
    """

    code: str
    title: str
    meaning: str
    confirmed: str
    remedy: str
    kernels: str
