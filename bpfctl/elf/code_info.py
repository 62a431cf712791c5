"""Hand the records of .BTF.ext, which count from a section's start, to the functions in it."""

from __future__ import annotations

from bisect import bisect_left

from bpfctl.btf.ext import BtfExt, CoreRelo, FuncInfo, LineInfo
from bpfctl.plain_typing import TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.elf.functions import Function

_R = TypeVar("_R", FuncInfo, LineInfo, CoreRelo)


class CodeInfo:
    """The records of an object, to be asked for function by function."""

    def __init__(self, ext: BtfExt | None) -> None:
        self._func = _sorted(ext.func_info if ext else {})
        self._line = _sorted(ext.line_info if ext else {})
        self._core = _sorted(ext.core_relos if ext else {})

    def func_info(self, function: Function) -> tuple[FuncInfo, ...]:
        """Where functions begin in the function: once, at 0."""
        return _of(self._func, function, lambda at, one: FuncInfo(at, one.type_id))

    def line_info(self, function: Function) -> tuple[LineInfo, ...]:
        """Where source lines begin in the function."""
        return _of(
            self._line,
            function,
            lambda at, one: LineInfo(at, one.file_name_off, one.line_off, one.line_col),
        )

    def core_relos(self, function: Function) -> tuple[CoreRelo, ...]:
        """Which instructions of the function are to be fitted to the kernel."""
        return _of(
            self._core, function, lambda at, one: CoreRelo(at, one.type_id, one.access, one.kind)
        )


def _place(record: FuncInfo | LineInfo | CoreRelo) -> int:
    return record.insn_off


def _sorted(by_section: dict[str, list[_R]]) -> dict[str, list[_R]]:
    return {name: sorted(records, key=_place) for name, records in by_section.items()}


def _of(
    by_section: dict[str, list[_R]], function: Function, moved: Callable[[int, _R], _R]
) -> tuple[_R, ...]:
    """The records of one function, with offsets that count from its start."""
    records = by_section.get(function.section.name, [])
    first = bisect_left(records, function.start, key=_place)
    last = bisect_left(records, function.end, key=_place)
    mine = records[first:last]
    if function.start:  # the first, mostly the only one of its section needs no others
        return tuple(moved(one.insn_off - function.start, one) for one in mine)
    return tuple(mine)
