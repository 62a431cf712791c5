"""What the options before and after the command say about its output; handed on, never global."""

from __future__ import annotations

from bpfctl.plain import plain


@plain
class Context:
    """The global options of one command line.

    `json` is also set by `pretty` and by `json_lines` (one JSON document a line instead of one
    array). `wide` keeps every column of a table on a narrow terminal. `bpffs` and `no_mount` are
    bpftool's options of these names.
    """

    json: bool = False
    pretty: bool = False
    json_lines: bool = False
    wide: bool = False
    debug: bool = False
    bpffs: bool = False
    no_mount: bool = False
    version: bool = False
