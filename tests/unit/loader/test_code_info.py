from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

import pytest

from bpfctl.btf.ext import FuncInfo, LineInfo
from bpfctl.loader.code_info import func_info, line_info, source_lines
from bpfctl.loader.link_code import Placed
from bpfctl.rejected import ProgramCode, SourceLine
from tests.unit.loader.objects import EXIT, function

if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf


def line(insn_off: int, number: int) -> LineInfo:
    return LineInfo(insn_off, 100, 200 + number, number << 10 | 3)


MAIN = function(
    "xdp:main", EXIT * 4, func_info=(FuncInfo(0, 7),), line_info=(line(0, 10), line(16, 11))
)
SUB = function(".text:sub", EXIT * 2, func_info=(FuncInfo(0, 9),), line_info=(line(0, 20),))
PLACED = (Placed(MAIN, 0), Placed(SUB, 4))


class Strings:
    def string(self, offset: int) -> str:
        return f"<{offset}>"


BTF = cast("Btf", Strings())


def test_func_info_counts_instructions() -> None:
    assert func_info(PLACED) == struct.pack("<4I", 0, 7, 4, 9)


def test_line_info_counts_instructions() -> None:
    expected = struct.pack("<12I", 0, 100, 210, 10243, 2, 100, 211, 11267, 4, 100, 220, 20483)
    assert line_info(PLACED) == expected


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(function(".text:f", EXIT), id="none at all"),
        pytest.param(
            function(".text:f", EXIT * 2, func_info=(FuncInfo(8, 1),), line_info=(line(8, 1),)),
            id="not at the beginning",
        ),
    ],
)
def test_a_function_without_info_leaves_all_out(other: object) -> None:
    placed = (*PLACED, Placed(other, 6))  # type: ignore[arg-type]  # one of the two above
    assert (func_info(placed), line_info(placed)) == (b"", b"")


def test_of_two_lines_for_one_instruction_the_first_counts() -> None:
    twice = function("xdp:main", EXIT, line_info=(line(0, 1), line(0, 2)))
    assert line_info([Placed(twice, 0)]) == struct.pack("<4I", 0, 100, 201, 1027)


@pytest.mark.parametrize(
    ("insn", "number"),
    [(0, 10), (1, 10), (2, 11), (3, 11), (4, 20), (5, 20)],
)
def test_source_line_of_an_instruction(insn: int, number: int) -> None:
    wanted = SourceLine("<100>", number, 3, f"<{200 + number}>")
    assert ProgramCode(b"", lines=source_lines(PLACED, BTF)).source(insn) == wanted


def test_an_instruction_without_a_line() -> None:
    lines = source_lines([Placed(function(".text:f", EXIT), 0)], BTF)
    assert ProgramCode(b"", lines=lines).source(0) is None
