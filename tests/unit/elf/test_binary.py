"""Functions of executables and libraries, in files made by hand."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bpfctl.elf import binary as elf_binary
from bpfctl.elf.binary import Function, open_binary
from bpfctl.errors import ObjectFileError, PathError

if TYPE_CHECKING:
    from pathlib import Path

FUNC, OBJECT = 2, 1
LOCAL, GLOBAL = 0, 1
TEXT = 1  # the number of the section with code


@dataclass
class Maker:
    """Makes a little-endian ELF file: .text at address 0x1000, symbols, versions."""

    wide: bool = True
    symbols: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    dynamic: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)

    def build(self) -> bytes:
        parts = [("", 0, 0, b"", 0), (".text", 1, 0x1000, bytes(64), 0)]
        for name, kind, table in ((".symtab", 2, self.symbols), (".dynsym", 11, self.dynamic)):
            strings, data = b"\0", b""
            for text, value, home, type_, bind in table:
                data += self.symbol(len(strings), value, home, bind << 4 | type_)
                strings += text.encode() + b"\0"
            parts += [(name, kind, 0, data, len(parts) + 1), ("", 3, 0, strings, 0)]
        numbers = struct.pack(f"<{len(self.versions)}H", *self.versions)
        parts.append(("", 0x6FFFFFFF, 0, numbers, 0))
        names = b"\0OLD\0NEW\0"
        defined = b""
        for version, at in ((2, 1), (3, 5)):
            step = 28 if version == 2 else 0
            defined += struct.pack("<4H5I", 1, 0, version, 1, 0, 20, step, at, 0)
        parts += [("", 0x6FFFFFFD, 0, defined, len(parts) + 1), ("", 3, 0, names, 0)]
        return self.assemble(parts)

    def symbol(self, name: int, value: int, home: int, info: int) -> bytes:
        if self.wide:
            return struct.pack("<IBBHQQ", name, info, 0, home, value, 8)
        return struct.pack("<IIIBBH", name, value, 8, info, 0, home)

    def assemble(self, parts: list[tuple[str, int, int, bytes, int]]) -> bytes:
        size = 64 if self.wide else 52
        body, headers = b"", b""
        for name, kind, address, data, link in parts:
            offset = size + 56 + len(body) if data else 0
            numbers = (int(bool(name)), kind, 0, address, offset, len(data), link, 0, 0, 0)
            headers += struct.pack("<IIQQQQIIQQ" if self.wide else "<10I", *numbers)
            body += data
        at = size + 56 + len(body)
        header = struct.pack(
            "<4sBB10xHHI" + ("QQQ" if self.wide else "III") + "I6H",
            *(b"\x7fELF", 2 if self.wide else 1, 1, 3, 62, 1, 0, size, at, 0),
            *(size, 56 if self.wide else 32, 1, 64 if self.wide else 40, len(parts), 0),
        )
        if self.wide:
            segment = struct.pack("<IIQQQQQQ", 1, 5, 0x78, 0x1000, 0, 0x40, 0x40, 0)
        else:
            segment = struct.pack("<8I", 1, 0x78, 0x1000, 0, 0x40, 0x40, 5, 0)
        return header + segment.ljust(56, b"\0") + body + headers


def place(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "binary"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("wide", [True, False], ids=["64 bits", "32 bits"])
def test_functions(wide: bool, tmp_path: Path) -> None:
    start = 64 + 56 if wide else 52 + 56
    maker = Maker(
        wide,
        symbols=[
            ("main", 0x1010, TEXT, FUNC, GLOBAL),
            ("helper", 0x1020, TEXT, FUNC, LOCAL),
            ("moved@@NEW", 0x1030, TEXT, FUNC, GLOBAL),
            ("moved@OLD", 0x1038, TEXT, FUNC, GLOBAL),
            ("table", 0x1000, TEXT, OBJECT, GLOBAL),
            ("elsewhere", 0, 0, FUNC, GLOBAL),
            ("absolute", 0x10, 0xFFF1, FUNC, GLOBAL),
        ],
    )
    with open_binary(place(tmp_path, maker.build())) as binary:
        assert list(binary.functions()) == [
            Function("main", start + 0x10, is_global=True),
            Function("helper", start + 0x20, is_global=False),
            Function("moved", start + 0x30, True, "NEW", is_default=True),
            Function("moved", start + 0x38, True, "OLD", is_default=False),
        ]


def test_versions_of_dynamic_symbols(tmp_path: Path) -> None:
    maker = Maker(
        dynamic=[
            ("f", 0x1000, TEXT, FUNC, GLOBAL),
            ("f", 0x1008, TEXT, FUNC, GLOBAL),
            ("g", 0x1010, TEXT, FUNC, GLOBAL),
        ],
        versions=[0x8002, 3, 1],
    )
    with open_binary(place(tmp_path, maker.build())) as binary:
        found = [(one.name, one.version, one.is_default) for one in binary.functions()]
    assert found == [("f", "OLD", False), ("f", "NEW", True), ("g", None, True)]


@pytest.mark.parametrize("wide", [True, False], ids=["64 bits", "32 bits"])
def test_file_offset_of_an_address(wide: bool, tmp_path: Path) -> None:
    with open_binary(place(tmp_path, Maker(wide).build())) as binary:
        assert [binary.file_offset(at) for at in (0x1000, 0x103F, 0x1040, 0xFFF)] == [
            0x78, 0x78 + 0x3F, None, None,
        ]  # fmt: skip


@pytest.mark.parametrize("wide", [True, False], ids=["64 bits", "32 bits"])
def test_every_truncation_is_an_error_or_has_less(wide: bool, tmp_path: Path) -> None:
    data = Maker(wide, symbols=[("main", 0x1010, TEXT, FUNC, GLOBAL)]).build()
    for size in range(len(data)):
        with pytest.raises(ObjectFileError), open_binary(place(tmp_path, data[:size])) as binary:
            list(binary.functions())


def test_endless_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elf_binary, "MAX_NAMES_BYTES", 20)
    many = [("name", 0x1000, TEXT, FUNC, GLOBAL)] * 6
    path = place(tmp_path, Maker(symbols=many).build())
    with pytest.raises(ObjectFileError, match="too long"), open_binary(path) as binary:
        list(binary.functions())


def test_no_bytes_make_it_fail_otherwise(tmp_path: Path) -> None:
    """Each byte of the headers, spoilt."""
    data = bytearray(Maker(symbols=[("main", 0x1010, TEXT, FUNC, GLOBAL)], versions=[2]).build())
    for at in [*range(120), *range(len(data) - 640, len(data))]:
        spoilt = bytearray(data)
        spoilt[at] ^= 0xFF
        try:
            with open_binary(place(tmp_path, bytes(spoilt))) as binary:
                assert len(list(binary.functions())) <= 64
        except ObjectFileError:
            continue


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "no little-endian ELF", id="empty"),
        pytest.param(b"#!/bin/sh\n" + bytes(64), "no little-endian ELF", id="script"),
        pytest.param(b"\x7fELF\2\2" + bytes(64), "no little-endian ELF", id="big endian"),
    ],
)
def test_no_binary(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectFileError, match=message), open_binary(place(tmp_path, data)):
        pass


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="no such file"), open_binary(str(tmp_path / "absent")):
        pass
    with pytest.raises(PathError, match="no file with code"), open_binary(str(tmp_path)):
        pass
