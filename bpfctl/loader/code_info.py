"""func_info and line_info of linked code: what tells the kernel which C made an instruction.

In the file the records count bytes from their function, for the kernel they count instruction
slots from the start of the code (include/uapi/linux/bpf.h, struct bpf_func_info and
bpf_line_info, Linux 5.0).
"""

from __future__ import annotations

import struct

from bpfctl.asm.insn import SLOT_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import LineInfo
    from bpfctl.loader.link_code import Placed
    from bpfctl.rejected import SourceLine

_FUNC_INFO = struct.Struct("<II")
FUNC_INFO_SIZE = _FUNC_INFO.size
LINE_INFO_SIZE = 16


def func_info(placed: Sequence[Placed], instead: Mapping[int, int] | None = None) -> bytes:
    """The kernel's func_info records, or nothing when a function has none.

    `instead` has by the type id of a function that of another to name in its place.
    The kernel wants one for each function of the code or none at all (check_btf_func,
    kernel/bpf/verifier.c, Linux 5.0).
    """
    records = []
    for one in placed:
        entry = next((info for info in one.function.func_info if info.insn_off == 0), None)
        if entry is None:
            return b""
        type_id = instead.get(entry.type_id, entry.type_id) if instead else entry.type_id
        records.append(_FUNC_INFO.pack(one.insn_offset, type_id))
    return b"".join(records)


def line_info(placed: Sequence[Placed]) -> bytes:
    """The kernel's line_info records, or nothing when a function does not begin with one.

    The kernel wants the first instruction of each function covered, and ascending offsets
    (check_btf_line, kernel/bpf/verifier.c, Linux 5.0).
    """
    words: list[int] = []
    for one in placed:
        lines = _ascending(one)
        if not lines or lines[0][0] != one.insn_offset:
            return b""
        words += [
            word
            for index, info in lines
            for word in (index, info.file_name_off, info.line_off, info.line_col)
        ]
    return struct.pack(f"={len(words)}I", *words)


def source_lines(placed: Sequence[Placed], btf: Btf) -> tuple[tuple[int, SourceLine], ...]:
    """The source lines of linked code by the first instruction of each, ascending."""
    from bpfctl.rejected import SourceLine  # for refused programs only

    return tuple(
        (
            index,
            SourceLine(
                btf.string(info.file_name_off), info.line, info.column, btf.string(info.line_off)
            ),
        )
        for one in placed
        for index, info in _ascending(one)
    )


def _ascending(one: Placed) -> list[tuple[int, LineInfo]]:
    """A function's line records, one for each instruction, by their index in the linked code."""
    by_index = {
        one.insn_offset + info.insn_off // SLOT_BYTES: info
        for info in reversed(one.function.line_info)
    }
    return sorted(by_index.items())
