"""The .BTF.ext section: which function, source line and CO-RE relocation belongs to which code.

Source: Documentation/bpf/btf.rst and struct bpf_func_info, bpf_line_info and bpf_core_relo of
include/uapi/linux/bpf.h, Linux 6.18.
"""

from __future__ import annotations

import struct
from itertools import starmap

from bpfctl.btf.layout import VERSION, byte_order
from bpfctl.errors import BtfError
from bpfctl.plain import plain
from bpfctl.plain_typing import TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpfctl.btf.decode import Btf

HEADER_BYTES = 24  # without the relocations, which came later
HEADER_WITH_RELOS_BYTES = 32

_R = TypeVar("_R")


@plain
class FuncInfo:
    """A function begins here. `insn_off` counts bytes from the start of the ELF section."""

    insn_off: int
    type_id: int


@plain
class LineInfo:
    """A source line begins here. `insn_off` counts bytes from the start of the ELF section.

    `file_name_off` and `line_off` are string offsets: the file's name, the line's text.
    """

    insn_off: int
    file_name_off: int
    line_off: int
    line_col: int

    @property
    def line(self) -> int:
        """The line number, from 1; 0 for code without a line."""
        return self.line_col >> 10

    @property
    def column(self) -> int:
        """The column, from 1; 0 when unknown."""
        return self.line_col & 0x3FF


@plain
class CoreRelo:
    """One instruction to fit to the target's types.

    `insn_off` counts bytes from the start of the ELF section, `access` is the path from `type_id`
    ("0:1:2"), `kind` an `enum bpf_core_relo_kind`.
    """

    insn_off: int
    type_id: int
    access: str
    kind: int


@plain
class BtfExt:
    """The records of .BTF.ext by name of the ELF section they belong to."""

    func_info: dict[str, list[FuncInfo]]
    line_info: dict[str, list[LineInfo]]
    core_relos: dict[str, list[CoreRelo]]

    @classmethod
    def parse(cls, data: bytes, btf: Btf, path: str = "") -> BtfExt:
        """Read a .BTF.ext section; its strings and types are in `btf`.

        Raises: BtfError for anything that lies outside of the section, records smaller than ours
        (larger ones are cut), and string offsets that lead nowhere.
        """
        reader = _Reader(bytes(data), btf, path or btf.path)
        spans = reader.header()
        return cls(
            reader.records(spans[0], "function info", "II", FuncInfo),
            reader.records(spans[1], "line info", "IIII", LineInfo),
            reader.records(spans[2], "relocation", "IIII", reader.core_relo),
        )


class _Reader:
    def __init__(self, data: bytes, btf: Btf, path: str) -> None:
        self.data = data
        self.btf = btf
        self.path = path
        self.order = byte_order(data, ".BTF.ext", path)
        self.accesses: dict[int, str] = {}

    def header(self) -> list[tuple[int, int]]:
        """The span (start, end) of each of the three subsections, in bytes from the beginning."""
        if len(self.data) < HEADER_BYTES:
            raise self.error(f"is {len(self.data)} bytes long, shorter than its header", 0)
        _, version, _, hdr_len, *fields = struct.unpack_from(self.order + "HBBIIIII", self.data)
        if version != VERSION:
            raise self.error(f"has version {version}; only version 1 is known", 2)
        if not HEADER_BYTES <= hdr_len <= len(self.data):
            raise self.error(f"has a header of {hdr_len} bytes in {len(self.data)} bytes", 4)
        relos = hdr_len >= HEADER_WITH_RELOS_BYTES
        fields += struct.unpack_from(self.order + "II", self.data, 24) if relos else (0, 0)
        spans = []
        for offset, length in zip(fields[::2], fields[1::2], strict=True):
            start = hdr_len + offset
            if start + length > len(self.data):
                raise self.error("has a subsection that ends behind its end", 4)
            spans.append((start, start + length))
        return spans

    def records(
        self, span: tuple[int, int], what: str, fields: str, make: Callable[..., _R]
    ) -> dict[str, list[_R]]:
        """Read a subsection: the size of its records, then for each ELF section its records."""
        start, end = span
        found: dict[str, list[_R]] = {}
        if start == end:
            return found
        shape = struct.Struct(self.order + fields)
        (size,) = self._unpack("I", start, end, what)
        if size < shape.size or size % 4:
            raise self.error(f"has {what} records of {size} bytes", start)
        for section, first, count in self._sections(start + 4, end, size, what):
            rows = self.data[first : first + size * count]
            made = starmap(make, _rows(shape, rows, size))
            found.setdefault(section, []).extend(made)
        return found

    def _sections(
        self, start: int, end: int, size: int, what: str
    ) -> Iterator[tuple[str, int, int]]:
        """For each ELF section: its name, where its records start, how many there are."""
        at = start
        while at < end:
            name_off, count = self._unpack("II", at, end, what)
            if at + 8 + size * count > end:
                raise self.error(f"has {count} {what} records where there is no room", at)
            yield self.btf.string(name_off), at + 8, count
            at += 8 + size * count

    def _unpack(self, fields: str, at: int, end: int, what: str) -> tuple[int, ...]:
        shape = struct.Struct(self.order + fields)
        if at + shape.size > end:
            raise self.error(f"ends inside its {what} records", at)
        return shape.unpack_from(self.data, at)

    def core_relo(self, insn_off: int, type_id: int, access_off: int, kind: int) -> CoreRelo:
        access = self.accesses.get(access_off)
        if access is None:
            access = self.accesses[access_off] = self.btf.string(access_off)
        return CoreRelo(insn_off, type_id, access, kind)

    def error(self, message: str, offset: int) -> BtfError:
        message = f"extended type information {message}"
        return BtfError(message, path=self.path or None, section=".BTF.ext", offset=offset)


def _rows(shape: struct.Struct, data: bytes, size: int) -> Iterator[tuple[int, ...]]:
    """The fields we know of each record; what a newer compiler put behind them is skipped.

    Of bytes: Python (3.10 to 3.13) crashes when it collects a view that iter_unpack still reads,
    as it does in the frames of an error.
    """
    if size == shape.size:
        return shape.iter_unpack(data)
    return (shape.unpack_from(data, place) for place in range(0, len(data), size))
