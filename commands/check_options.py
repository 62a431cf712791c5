"""The options that only `check` has."""

from __future__ import annotations

from bpfctl.plain_typing import Annotated

from .declare import Option

OtherBtf = Annotated[
    list[str] | None,
    Option(
        "--btf",
        metavar="FILE|DIR",
        help="Types of another kernel, or of many; repeatable. Default: the running kernel.",
    ),
]
Verify = Annotated[
    bool, Option("--verify", help="Load each program too, alone, and tell what the verifier says.")
]
Baseline = Annotated[
    str | None,
    Option("--baseline", metavar="FILE", help="What --verify wrote before, JSON or CSV."),
]
MaxRegress = Annotated[
    str,
    Option("--max-regress", metavar="N%", help="By how much numbers may grow; default 0%."),
]
Format = Annotated[
    str, Option("--format", metavar="FORMAT", help="How to write: table, csv or markdown.")
]
