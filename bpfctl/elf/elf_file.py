"""An ELF file as plain data: its sections, symbols and relocations, bounded and checked.

Source: the System V ABI, chapter 4, and Documentation/bpf/llvm_reloc.rst (Linux 6.18) for the
relocation types of BPF.
"""

from __future__ import annotations

from struct import Struct

from bpfctl.errors import ObjectFileError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

SHT_NULL: Final = 0
SHT_PROGBITS: Final = 1
SHT_SYMTAB: Final = 2
SHT_RELA: Final = 4
SHT_NOBITS: Final = 8
SHT_REL: Final = 9

SHF_ALLOC: Final = 0x2
SHF_EXECINSTR: Final = 0x4
SHF_COMPRESSED: Final = 0x800

SHN_UNDEF: Final = 0
SHN_LORESERVE: Final = 0xFF00

STB_LOCAL: Final = 0
STB_WEAK: Final = 2
STT_FUNC: Final = 2
STV_INTERNAL: Final = 1
STV_HIDDEN: Final = 2

MAX_SYMBOLS: Final = 1 << 18
MAX_RELOCATIONS: Final = 1 << 20
# Names may overlap in the file, so that a small one could ask for endless memory. A section name
# holds a path of PATH_MAX at the most.
MAX_NAME_BYTES: Final = 1 << 14
MAX_NAMES_BYTES: Final = 64 << 20  # of all symbols together

_SYMBOL: Final = Struct("<IBBHQQ")
_REL: Final = Struct("<QQ")


class Section(NamedTuple):
    """A section; `data` is empty where the file has none of its `size` bytes (.bss)."""

    number: int
    name: str
    type: int
    flags: int
    size: int
    link: int
    info: int
    data: memoryview

    @property
    def is_code(self) -> bool:
        """Whether instructions are in it."""
        return self.type == SHT_PROGBITS and bool(self.flags & SHF_EXECINSTR)


class Symbol(NamedTuple):
    """A symbol; `value` counts bytes from the start of its section."""

    name: str
    value: int
    size: int
    section: int
    type: int
    bind: int
    visibility: int

    @property
    def is_hidden(self) -> bool:
        """Whether it is not seen outside of the object."""
        return self.visibility in (STV_HIDDEN, STV_INTERNAL)


class Relocation(NamedTuple):
    """A place in a section that refers to a symbol, by its index."""

    offset: int
    type: int
    symbol: int


class ElfFile:
    """What `reader` took out of a file; sections in the order of their numbers.

    `data` is the whole file.
    """

    def __init__(
        self,
        path: str,
        sections: tuple[Section, ...],
        symbols: tuple[Symbol, ...],
        data: bytes = b"",
    ) -> None:
        self.path = path
        self.data = data
        self.sections = sections
        self.symbols = symbols
        self._by_name: dict[str, Section] = {}
        self._relocations: dict[int, list[Section]] = {}
        self._symbols: dict[int, list[Symbol]] = {}
        for section in sections[1:]:  # number 0 stands for none
            self._by_name.setdefault(section.name, section)
            if section.type in (SHT_REL, SHT_RELA):
                self._relocations.setdefault(section.info, []).append(section)
        for symbol in symbols:
            self._symbols.setdefault(symbol.section, []).append(symbol)

    def section(self, name: str) -> Section | None:
        """The first section of that name, if there is one."""
        return self._by_name.get(name)

    def symbols_in(self, section: Section) -> list[Symbol]:
        """The symbols of a section, in the order of the symbol table."""
        return self._symbols.get(section.number, [])

    def relocations(self, section: Section) -> Iterator[Relocation]:
        """The relocations for a section, in the order of the file.

        Raises: ObjectFileError for a form BPF does not have, or too many.
        """
        for table in self._relocations.get(section.number, ()):
            if table.type == SHT_RELA:
                raise self.error("has relocations with addends, which BPF has not", table)
            yield from parse_relocations(self.path, table)

    def symbol_of(self, relocation: Relocation, section: Section) -> Symbol:
        """The symbol a relocation refers to. Raises: ObjectFileError when there is none."""
        if relocation.symbol >= len(self.symbols):
            message = f"refers to symbol {relocation.symbol}, but there are {len(self.symbols)}"
            raise self.error(message, section, relocation.offset)
        return self.symbols[relocation.symbol]

    def error(self, message: str, section: Section, offset: int | None = None) -> ObjectFileError:
        """Make an error about a section: the message goes on after its name."""
        return _error(self.path, message, section, offset)


def parse_symbols(path: str, table: Section, strings: memoryview) -> tuple[Symbol, ...]:
    """Read a symbol table.

    Raises: ObjectFileError for a cut table, and for names that lie outside of `strings` or are
    too long.
    """
    data = _whole(path, table, _SYMBOL.size, MAX_SYMBOLS, "symbols")
    text, room = bytes(strings), MAX_NAMES_BYTES
    found = []
    for index, (name, info, other, section, value, size) in enumerate(_SYMBOL.iter_unpack(data)):
        end = text.find(b"\0", name, name + MAX_NAME_BYTES)
        if end < 0 and name:
            where = "without an end" if name < len(text) else "outside of the strings"
            raise _error(path, f"has symbol {index} with a name {where}", table)
        room -= end - name if name else 0
        if room < 0:
            raise _error(path, f"has names of more than {MAX_NAMES_BYTES >> 20} MiB", table)
        words = text[name:end].decode("utf-8", "surrogateescape") if name else ""
        found.append(Symbol(words, value, size, section, info & 0xF, info >> 4, other & 0x3))
    return tuple(found)


def parse_relocations(path: str, table: Section) -> Iterator[Relocation]:
    """Read a table of relocations. Raises: ObjectFileError for a cut one."""
    data = _whole(path, table, _REL.size, MAX_RELOCATIONS, "relocations")
    for offset, info in _REL.iter_unpack(data):
        yield Relocation(offset, info & 0xFFFFFFFF, info >> 32)


def _whole(path: str, table: Section, entry_bytes: int, most: int, what: str) -> bytes:
    """The bytes of a table: no view, see _rows in bpfctl/btf/ext.py."""
    count, rest = divmod(len(table.data), entry_bytes)
    if rest:
        raise _error(path, f"is not a whole number of {what}", table, count * entry_bytes)
    if count > most:
        raise _error(path, f"has {count} {what}, more than {most}", table)
    return bytes(table.data)


def _error(path: str, message: str, section: Section, offset: int | None = None) -> ObjectFileError:
    text = f'section "{section.name}" {message}'
    return ObjectFileError(text, path=path, section=section.name, offset=offset)
