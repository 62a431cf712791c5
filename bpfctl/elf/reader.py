"""Read an object file: bytes to `ObjectSpec`. The one module that knows pyelftools.

The few fields that a loader needs are decoded here and in `elf_file`: importing pyelftools takes as
long as all else of a small load. It tells what a file is that is no object for BPF.

Source: the System V ABI, chapter 4.
"""

from __future__ import annotations

import os
import stat
from struct import Struct

from bpfctl.elf.elf_file import (
    MAX_NAME_BYTES,
    SHF_COMPRESSED,
    SHT_NOBITS,
    SHT_NULL,
    SHT_SYMTAB,
    ElfFile,
    Section,
    Symbol,
    parse_symbols,
)
from bpfctl.errors import ObjectFileError, PathError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Final

    from bpfctl.elf.section_def import SectionDef
    from bpfctl.elf.spec import ObjectSpec

MAX_FILE_BYTES: Final = 256 << 20
MAX_SECTIONS: Final = 1 << 13

_MAGIC: Final = b"\x7fELF"
_HEADER_BYTES: Final = 64
# Of the file: e_type, e_machine, e_shoff, e_shentsize, e_shnum and e_shstrndx.
_FILE_HEADER: Final = Struct("<16x HH 20x Q 10x HHH")
_SECTION_HEADER: Final = Struct("<IIQ 8x QQII 16x")  # the fields of _Header
_CLASS_64, _LITTLE, _BIG = 2, 1, 2
_ET_REL: Final = 1
_KINDS: Final = {2: "an executable", 3: "a shared library", 4: "a core dump"}
_MACHINES: Final = (247, 0)  # EM_BPF; compilers before LLVM 3.9 wrote EM_NONE


def read_object(path: str, prog_type: SectionDef | None = None) -> ObjectSpec:
    """Read the object file at a path; with `prog_type` all its programs are of that kind.

    Raises: PathError when it cannot be read or is no regular file, and what `parse_object` raises.
    """
    return parse_object(_read(path), path, prog_type)


def read_elf_file(path: str) -> ElfFile:
    """Read sections and symbols of an object file. Raises: PathError, ObjectFileError."""
    return read_elf(_read(path), path)


def _read(path: str) -> bytes:
    try:
        with _open_regular(path) as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot read it: {words}", subject=path) from err


def _open_regular(path: str) -> BinaryIO:
    """Open a file without waiting for a writer, should it be a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise PathError("is no regular file", subject=path)


def parse_object(data: bytes, path: str = "", prog_type: SectionDef | None = None) -> ObjectSpec:
    """Read an object file from its bytes; `path` names it in messages, and its data maps.

    `prog_type` takes the place of what the names of sections mean, which may then be any.
    Raises: ObjectFileError for anything else than a little-endian BPF object that makes sense;
    of its subclasses SectionNameError, BtfError and RelocationError.
    """
    from bpfctl.elf.assemble import assemble

    try:
        return assemble(read_elf(data, path), prog_type)
    except ObjectFileError as err:  # not every part of an object knows the file it is in
        err.path = err.path or path or None
        err.within(subject=err.path)
        raise


def read_elf(data: bytes, path: str = "") -> ElfFile:
    """Read sections and symbols. Raises: ObjectFileError."""
    _check_identity(data, path)
    sections = _sections(data, path)
    return ElfFile(path, sections, _symbols(path, sections), data)


def _check_identity(data: bytes, path: str) -> None:
    """Refuse what is no 64-bit little-endian ELF file before anything is decoded."""
    if not data.startswith(_MAGIC):
        raise ObjectFileError("is no ELF file", path=path, offset=0)
    if len(data) > MAX_FILE_BYTES:
        raise ObjectFileError(f"is larger than {MAX_FILE_BYTES >> 20} MiB", path=path)
    if len(data) < _HEADER_BYTES:
        raise ObjectFileError("ends inside its ELF header", path=path, offset=len(data))
    if data[4] != _CLASS_64:
        raise ObjectFileError("is no 64-bit ELF file", path=path, offset=4)
    if data[5] == _BIG:
        message = "is big-endian; only little-endian objects are supported"
        raise ObjectFileError(message, path=path, offset=5, remedy="compile with -target bpfel")
    if data[5] != _LITTLE:
        raise ObjectFileError("has an unknown byte order", path=path, offset=5)


class _Header(NamedTuple):
    """What we need of a section's header; `name` is an offset into the section of names."""

    name: int
    type: int
    flags: int
    offset: int
    size: int
    link: int
    info: int


def _sections(data: bytes, path: str) -> tuple[Section, ...]:
    headers, names_index = _headers(data, path)
    contents = [_contents(data, path, index, one) for index, one in enumerate(headers)]
    if sum(map(len, contents)) > len(data):  # or a small file could ask for endless work
        raise ObjectFileError("has sections that overlap", path=path)
    if names_index >= len(headers):
        raise ObjectFileError("has no section with the names of sections", path=path)
    names = bytes(contents[names_index])
    return tuple(
        Section(
            index,
            _name(names, one.name, index, path),
            *(one.type, one.flags, one.size, one.link, one.info),
            contents[index],
        )
        for index, one in enumerate(headers)
    )


def _contents(data: bytes, path: str, index: int, header: _Header) -> memoryview:
    """The bytes of a section, without a copy."""
    if header.type in (SHT_NULL, SHT_NOBITS):
        return memoryview(b"")
    end = header.offset + header.size
    if end > len(data):
        message = f"ends inside section {index}: {end - len(data)} bytes are missing"
        raise ObjectFileError(message, path=path, offset=header.offset)
    if header.flags & SHF_COMPRESSED:
        raise ObjectFileError(f"has compressed section {index}", path=path, offset=header.offset)
    return memoryview(data)[header.offset : end]


def _name(names: bytes, offset: int, index: int, path: str) -> str:
    end = names.find(b"\0", offset, offset + MAX_NAME_BYTES)
    if end < 0:
        if not index:  # the first header is empty, and its name is not looked at
            return ""
        raise ObjectFileError(f"has section {index} without a name", path=path)
    return names[offset:end].decode("utf-8", "surrogateescape")


def _symbols(path: str, sections: tuple[Section, ...]) -> tuple[Symbol, ...]:
    tables = [section for section in sections if section.type == SHT_SYMTAB]
    if len(tables) != 1:
        raise ObjectFileError(f"has {len(tables) or 'no'} symbol tables", path=path)
    (table,) = tables
    if table.link >= len(sections):
        message = f'section "{table.name}" has no section with the names of symbols'
        raise ObjectFileError(message, path=path, section=table.name)
    return parse_symbols(path, table, sections[table.link].data)


def _headers(data: bytes, path: str) -> tuple[list[_Header], int]:
    """Decode the headers; return those of the sections, and the index of the one with names."""
    kind, machine, start, entry_bytes, count, names_index = _FILE_HEADER.unpack_from(data)
    if kind != _ET_REL or machine not in _MACHINES:
        raise _no_object(kind, machine, path)
    if count > MAX_SECTIONS:
        raise ObjectFileError(f"has {count} sections, more than {MAX_SECTIONS}", path=path)
    if not count or entry_bytes != _SECTION_HEADER.size:
        raise ObjectFileError("has no section headers", path=path, offset=40)
    end = start + count * _SECTION_HEADER.size
    if end > len(data):
        raise ObjectFileError("ends before its section headers", path=path, offset=start)
    return [_Header(*one) for one in _SECTION_HEADER.iter_unpack(data[start:end])], names_index


def _no_object(kind: int, machine: int, path: str) -> ObjectFileError:
    """Say what an ELF file is that is no object for BPF, in the words of pyelftools."""
    from elftools.elf.enums import ENUM_E_MACHINE

    if kind != _ET_REL:
        words = _KINDS.get(kind, f"an ELF file of type {kind}")
        return ObjectFileError(f"is {words}, no object file", path=path, offset=16)
    names = (name for name, number in ENUM_E_MACHINE.items() if number == machine)
    name = next(names, str(machine)).removeprefix("EM_")
    message = f"is an object for machine {name}, not for BPF"
    return ObjectFileError(message, path=path, offset=18, remedy="compile with -target bpf")
