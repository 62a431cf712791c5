"""ELF objects made by hand: as small and as broken as a test wants them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

PROGBITS, SYMTAB, STRTAB, RELA, NOBITS, REL = 1, 2, 3, 4, 8, 9
ALLOC, EXEC = 2, 4
FUNC, OBJECT, SECTION = 2, 1, 3
LOCAL, GLOBAL, WEAK = 0, 1, 2
EM_BPF = 247
ET_REL = 1

EXIT = bytes.fromhex("b700000000000000 9500000000000000")  # r0 = 0; exit


@dataclass
class _Section:
    name: str
    data: bytes
    type: int
    flags: int
    link: int
    info: int
    size: int


@dataclass
class ElfBuilder:
    """Collects sections, symbols and relocations; `build` lays them out.

    Sections are numbered from 1 in the order of `section`; the tables come behind them.
    """

    machine: int = EM_BPF
    type: int = ET_REL
    _sections: list[_Section] = field(default_factory=list)
    _symbols: list[bytes] = field(default_factory=lambda: [bytes(24)])
    _strings: bytearray = field(default_factory=lambda: bytearray(b"\0"))
    _relocations: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)

    def section(
        self,
        name: str,
        data: bytes = b"",
        *,
        type: int = PROGBITS,  # noqa: A002 - the word of the ELF header
        flags: int = ALLOC,
        link: int = 0,
        info: int = 0,
        size: int | None = None,
    ) -> int:
        """Add a section, return its number."""
        length = len(data) if size is None else size
        self._sections.append(_Section(name, data, type, flags, link, info, length))
        return len(self._sections)

    def symbol(
        self,
        name: str,
        section: int,
        value: int = 0,
        size: int = 0,
        *,
        type: int = 0,  # noqa: A002 - the word of the ELF header
        bind: int = GLOBAL,
        visibility: int = 0,
    ) -> int:
        """Add a symbol, return its index."""
        info = bind << 4 | type
        packed = struct.pack("<IBBHQQ", self._string(name), info, visibility, section, value, size)
        self._symbols.append(packed)
        return len(self._symbols) - 1

    def function(self, name: str, section: str, code: bytes = EXIT, *, bind: int = GLOBAL) -> int:
        """Add a section with one function in it, return the section's number."""
        number = self.section(section, code, flags=ALLOC | EXEC)
        self.symbol(name, number, 0, len(code), type=FUNC, bind=bind)
        return number

    def relocation(self, section: int, offset: int, symbol: int, type: int = 1) -> None:  # noqa: A002 - as above
        """Let a place of a section refer to a symbol."""
        self._relocations.setdefault(section, []).append((offset, type, symbol))

    def build(self) -> bytes:
        """Return the file."""
        sections = list(self._sections)
        strtab = len(sections) + len(self._relocations) + 1
        for target, entries in self._relocations.items():
            data = b"".join(struct.pack("<QQ", at, sym << 32 | kind) for at, kind, sym in entries)
            name = f".rel{sections[target - 1].name}"
            sections.append(_Section(name, data, REL, 0, strtab + 1, target, len(data)))
        names = [self._string(one.name) for one in sections]
        own = [self._string(".strtab"), self._string(".symtab")]
        symbols = b"".join(self._symbols)
        sections += [
            _Section(".strtab", bytes(self._strings), STRTAB, 0, 0, 0, len(self._strings)),
            _Section(".symtab", symbols, SYMTAB, 0, strtab, 1, len(symbols)),
        ]
        return self._layout(sections, [*names, *own], strtab)

    def _layout(self, sections: list[_Section], names: list[int], strtab: int) -> bytes:
        body = bytearray()
        headers = bytearray(64)
        for one, name in zip(sections, names, strict=True):
            offset = 64 + len(body)
            headers += struct.pack(
                "<IIQQQQIIQQ",
                *(name, one.type, one.flags, 0, offset, one.size, one.link, one.info, 8, 0),
            )
            body += one.data
        ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
        fields = (self.type, self.machine, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64)
        header = ident + struct.pack("<HHIQQQIHHHHHH", *fields, len(sections) + 1, strtab)
        return header + bytes(body) + bytes(headers)

    def _string(self, text: str) -> int:
        encoded = text.encode() + b"\0"
        at = self._strings.find(encoded)
        if at < 0:
            at = len(self._strings)
            self._strings += encoded
        return at
