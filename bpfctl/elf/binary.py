"""Executables and libraries as probes see them: functions by name, as offsets into the file.

Source: the System V ABI, chapter 4, and the Linux Standard Base 5.0, chapter 10.7 (symbol
versions). Of untrusted files every offset and size is checked.
"""

from __future__ import annotations

import os
import stat
import struct
from contextlib import contextmanager

from bpfctl.errors import BpfctlError, ObjectFileError, PathError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

MAX_SECTION_BYTES: Final = 1 << 28  # the symbols of a browser are a third of it
MAX_NAMES_BYTES: Final = 1 << 29  # names may overlap, so that small files could have endless ones
_MOST_VERSIONS: Final = 1 << 15  # their numbers have 15 bits
MAX_NAME_BYTES: Final = 1 << 14

_SHT_SYMTAB, _SHT_NOBITS, _SHT_DYNSYM = 2, 8, 11
_SHT_VERDEF, _SHT_VERSYM = 0x6FFFFFFD, 0x6FFFFFFF
_PT_LOAD: Final = 1
_STT_FUNC: Final = 2
_OF_DATA: Final = (0, 1)  # STT_NOTYPE, STT_OBJECT
_ET_EXEC: Final = 2
_STB_GLOBAL: Final = 1
_LITTLE: Final = 1
_MAX_OFFSET: Final = 1 << 62
_VERDEF: Final = struct.Struct("<4H3I")
_HIDDEN_VERSION: Final = 0x8000
_MAGIC: Final = b"\x7fELF"


class _Form(NamedTuple):
    """The layouts of one ELF class."""

    word: int
    header: struct.Struct
    section: struct.Struct
    segment: struct.Struct
    symbol: struct.Struct


_FORMS: Final = {
    1: _Form(4, *map(struct.Struct, ("<16xH6xIII4x6H", "<10I", "<8I", "<IIIBBH"))),
    2: _Form(8, *map(struct.Struct, ("<16xH6xQQQ4x6H", "<IIQQQQIIQQ", "<IIQQQQQQ", "<IBBHQQ"))),
}


class BinarySection(NamedTuple):
    """A section of the file; `address` is where it is in memory."""

    name: str
    type: int
    address: int
    offset: int
    size: int
    link: int


class Segment(NamedTuple):
    """A part of the file that is loaded, and where to."""

    offset: int
    address: int
    size: int

    def file_offset(self, address: int) -> int | None:
        """The place in the file of an address of memory, if it is in this segment."""
        inside = 0 <= address - self.address < self.size
        return address - self.address + self.offset if inside else None


class Function(NamedTuple):
    """A function; `offset` is its place in the file.

    `version` is that of its symbol, None where it has none or the symbol tables do not tell;
    `is_default` says that users of the name without a version get this one.
    """

    name: str
    offset: int
    is_global: bool = False
    version: str | None = None
    is_default: bool = True


class Binary:
    """An open ELF file; made by `open_binary`. Sections are read when somebody asks for them.

    `is_fixed`: it is always loaded where it was linked for.
    """

    def __init__(self, path: str, number: int) -> None:
        self.path = path
        self._number = number
        start = os.pread(number, 64, 0)
        form = _FORMS.get(start[4]) if len(start) >= 52 and start[:4] == _MAGIC else None
        if form is None or start[5] != _LITTLE:
            raise ObjectFileError("this is no little-endian ELF file", path=path, offset=0)
        self._form = form
        self.word_bytes = form.word
        self.sections: list[BinarySection] = []
        self.segments: list[Segment] = []
        header = self._read(0, form.header.size, "the ELF header")
        self._read_headers(form.header.unpack(header))

    def _read_headers(self, header: tuple[int, ...]) -> None:
        kind, _, segments_at, sections_at, _, _, segment_count, _, section_count, names = header
        self.is_fixed = kind == _ET_EXEC
        for fields in self._table(self._form.segment, segments_at, segment_count):
            if fields[0] == _PT_LOAD:
                places = (2, 3, 5) if self.word_bytes == 8 else (1, 2, 4)
                self.segments.append(Segment(*(fields[place] for place in places)))
        raw = self._table(self._form.section, sections_at, section_count)
        sections = [BinarySection("", f[1], f[3], f[4], f[5], f[6]) for f in raw]
        strings = self.bytes_of(sections[names]) if names < len(sections) else b""
        self.sections = [
            one._replace(name=_text(strings, fields[0]))
            for one, fields in zip(sections, raw, strict=True)
        ]

    def _table(self, form: struct.Struct, at: int, count: int) -> list[tuple[int, ...]]:
        data = self._read(at, form.size * count, "a table of headers")
        return list(form.iter_unpack(data))

    def _read(self, at: int, size: int, what: str) -> bytes:
        fits = at <= _MAX_OFFSET and size <= MAX_SECTION_BYTES
        data = os.pread(self._number, size, at) if fits else b""
        if len(data) < size:
            raise ObjectFileError(f"{what} lies outside of the file", path=self.path, offset=at)
        return data

    def bytes_of(self, section: BinarySection) -> bytes:
        """The bytes of a section; none for one that is not in the file.

        Raises: ObjectFileError when it lies outside of the file.
        """
        if section.type == _SHT_NOBITS:
            return b""
        return self._read(section.offset, section.size, f"section {section.name}".rstrip())

    def file_offset(self, address: int) -> int | None:
        """The place in the file of an address of memory, None if nothing is loaded there."""
        found = (segment.file_offset(address) for segment in self.segments)
        return next((offset for offset in found if offset is not None), None)

    def functions(self) -> Iterator[Function]:
        """Yield the functions of the symbol tables, the dynamic one first.

        Raises: ObjectFileError.
        """
        for kind in (_SHT_DYNSYM, _SHT_SYMTAB):
            for table in self.sections:
                if table.type == kind:
                    yield from self._functions(table)

    def _functions(self, table: BinarySection) -> Iterator[Function]:
        strings = self.strings_of(table)
        versions = _Versions(self) if table.type == _SHT_DYNSYM else None
        names_bytes = 0
        for index, name, info, section, value in self._symbols(table):
            if info & 0xF != _STT_FUNC:
                continue
            found = Function(_text(strings, name), value - section.address + section.offset)
            names_bytes += len(found.name)
            if names_bytes > MAX_NAMES_BYTES:
                raise ObjectFileError(
                    "the names of its symbols are too long", path=self.path, section=table.name
                )
            found = versions.add(found, index) if versions else _split(found)
            yield found._replace(is_global=info >> 4 == _STB_GLOBAL)

    def _symbols(self, table: BinarySection) -> Iterator[tuple[int, int, int, BinarySection, int]]:
        """Yield of each symbol that lies in a section: number, name, kind, section and value."""
        form, data = self._form.symbol, self.bytes_of(table)
        whole = len(data) - len(data) % form.size
        for index, fields in enumerate(form.iter_unpack(data[:whole])):
            if self.word_bytes == 8:
                name, info, _, home, value, _ = fields
            else:
                name, value, _, info, _, home = fields
            if 0 < home < len(self.sections):
                yield index, name, info, self.sections[home], value

    def data_addresses(self, wanted: str) -> set[int]:
        """The addresses, as linked, of variables of that name; static ones may share a name.

        Raises: ObjectFileError.
        """
        found, word = set(), wanted.encode("utf-8", "surrogateescape") + b"\0"
        for table in self.sections:
            if table.type in (_SHT_SYMTAB, _SHT_DYNSYM):
                strings = self.strings_of(table)
                for _, name, info, _, value in self._symbols(table):
                    if info & 0xF in _OF_DATA and strings.startswith(word, name):
                        found.add(value)
        return found

    def strings_of(self, section: BinarySection) -> bytes:
        """The bytes of the section with the names for a table's entries."""
        known = section.link < len(self.sections)
        return self.bytes_of(self.sections[section.link]) if known else b""


class _Versions:
    """The versions of the symbols in the dynamic table."""

    def __init__(self, binary: Binary) -> None:
        tables = {one.type: one for one in binary.sections}
        numbers, names = tables.get(_SHT_VERSYM), tables.get(_SHT_VERDEF)
        self._numbers = binary.bytes_of(numbers) if numbers else b""
        self._names = _defined(binary.bytes_of(names), binary.strings_of(names)) if names else {}

    def add(self, function: Function, index: int) -> Function:
        if 2 * index + 2 > len(self._numbers):
            return function
        (number,) = struct.unpack_from("<H", self._numbers, 2 * index)
        return function._replace(
            version=self._names.get(number & ~_HIDDEN_VERSION),
            is_default=not number & _HIDDEN_VERSION,
        )


def _defined(data: bytes, strings: bytes) -> dict[int, str]:
    """The names of the versions a file defines, by their numbers."""
    found: dict[int, str] = {}
    at = 0
    for _ in range(_MOST_VERSIONS):
        if at > len(data) - _VERDEF.size:
            break
        _, _, number, _, _, first, step = _VERDEF.unpack_from(data, at)
        if at + first <= len(data) - 4:
            (name,) = struct.unpack_from("<I", data, at + first)
            found.setdefault(number, _text(strings, name))
        if not step:
            break
        at += step
    return found


def _split(function: Function) -> Function:
    """Take the version out of a name: name@VERSION, name@@VERSION for the default."""
    name, at, version = function.name.partition("@")
    if not at:
        return function
    return function._replace(
        name=name, version=version.lstrip("@"), is_default=version.startswith("@")
    )


def _text(strings: bytes, start: int) -> str:
    end = strings.find(b"\0", start, start + MAX_NAME_BYTES)
    return strings[start : max(end, start)].decode("utf-8", "surrogateescape")


@contextmanager
def open_binary(path: str) -> Iterator[Binary]:
    """Open an executable or a library for as long as somebody looks at it.

    Raises: PathError when it cannot be read, ObjectFileError when it is no ELF file.
    """
    number = -1
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise PathError("this is no file with code", subject=path)
        yield Binary(path, number)
    except BpfctlError:
        raise
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot read it: {words}", subject=path) from err
    finally:
        if number >= 0:
            os.close(number)
