"""Cut the code of an object into functions, and find the function at a place."""

from __future__ import annotations

from bisect import bisect_right

from bpfctl.asm.insn import SLOT_BYTES
from bpfctl.elf.elf_file import STB_LOCAL, STB_WEAK, STT_FUNC
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.elf.elf_file import ElfFile, Section, Symbol

TEXT = ".text"


class Function(NamedTuple):
    """A function as the symbol table knows it; `start` and `end` in bytes of its section."""

    key: str
    section: Section
    symbol: Symbol
    start: int
    end: int

    @property
    def code(self) -> bytes:
        """Its instructions."""
        return bytes(self.section.data[self.start : self.end])

    @property
    def is_global(self) -> bool:
        """Whether other objects could see it (were it not hidden)."""
        return self.symbol.bind != STB_LOCAL

    @property
    def is_weak(self) -> bool:
        """Whether another definition would take precedence."""
        return self.symbol.bind == STB_WEAK

    @property
    def is_program(self) -> bool:
        """Whether it is an entry point: not static, in a section with a name of its own."""
        return self.is_global and not is_text(self.section)


class FunctionIndex:
    """All functions, by section number, in the order of their places."""

    def __init__(self) -> None:
        self.by_section: dict[int, list[Function]] = {}

    def __iter__(self) -> Iterator[Function]:
        for functions in self.by_section.values():
            yield from functions

    def holding(self, section_number: int, offset: int) -> Function | None:
        """The function that has the byte at an offset of a section."""
        functions = self.by_section.get(section_number, [])
        at = bisect_right(functions, offset, key=lambda one: one.start) - 1
        if at < 0 or offset >= functions[at].end:
            return None
        return functions[at]

    def starting(self, section_number: int, offset: int) -> Function | None:
        """The function whose first instruction is at an offset of a section."""
        found = self.holding(section_number, offset)
        return found if found and found.start == offset else None


def is_text(section: Section) -> bool:
    """Whether a section holds subprograms only, by its name."""
    return section.name == TEXT or section.name.startswith(TEXT + ".")


def code_sections(elf: ElfFile) -> list[Section]:
    """Sections with code in them. Raises: ObjectFileError when two have one name."""
    found: dict[str, Section] = {}
    for section in elf.sections:
        if not section.is_code or not section.size:
            continue
        if section.name in found:
            raise elf.error("occurs twice", section)
        found[section.name] = section
    return list(found.values())


def find_functions(elf: ElfFile) -> FunctionIndex:
    """Cut all code into functions by the symbol table.

    Raises: ObjectFileError for functions that overlap, leave their section or are no whole
    number of instructions, and for code without any function.
    """
    index = FunctionIndex()
    for section in code_sections(elf):
        mine = [symbol for symbol in elf.symbols_in(section) if symbol.type == STT_FUNC]
        mine.sort(key=lambda symbol: symbol.value)
        if not mine:
            raise elf.error("has code and no function", section)
        index.by_section[section.number] = _cut(elf, section, mine)
    return index


def _cut(elf: ElfFile, section: Section, symbols: list[Symbol]) -> list[Function]:
    """Make the functions of one section from its symbols, sorted by place."""
    functions: list[Function] = []
    keys: set[str] = set()
    for number, symbol in enumerate(symbols):
        start = symbol.value
        after = symbols[number + 1].value if number + 1 < len(symbols) else section.size
        end = start + symbol.size if symbol.size else after  # assembler gives no sizes
        if problem := _span_problem(start, end, after, section.size):
            raise elf.error(f"has function {symbol.name}, which {problem}", section, start)
        key = f"{section.name}:{symbol.name}"
        if key in keys:  # static functions of several linked files may share a name
            key = f"{key}@{start}"
        keys.add(key)
        functions.append(Function(key, section, symbol, start, end))
    return functions


def _span_problem(start: int, end: int, after: int, section_size: int) -> str | None:
    if end > section_size:
        return "ends behind its section"
    if start >= end:
        return "is empty"
    if end > after:
        return "overlaps the next one"
    if start % SLOT_BYTES or end % SLOT_BYTES:
        return "is no whole number of instructions"
    return None
