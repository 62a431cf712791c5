"""What an object expects from outside, and what it has that bpfctl does not load yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bpfctl.btf.types import Kind, Var
from bpfctl.elf.elf_file import SHN_UNDEF, STB_LOCAL, STB_WEAK
from bpfctl.elf.section_def import AttachKind
from bpfctl.elf.spec import ExternSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.elf_file import ElfFile, Section
    from bpfctl.elf.spec import MapSpec, ProgramSpec

KCONFIG: Final = ".kconfig"
KSYMS: Final = ".ksyms"

# Sections with a meaning that bpfctl does not know yet, by the beginning of their names.
_SECTIONS: Final = (
    (".struct_ops", "struct_ops maps"),
    ("?.struct_ops", "struct_ops maps"),
    (".addr_space.", "arena variables"),
    (".jumptables", "jump tables"),
)


def find_externs(elf: ElfFile, btf: Btf | None) -> tuple[ExternSpec, ...]:
    """The symbols the object does not define, in the order of the symbol table."""
    known = _typed_externs(btf) if btf else {}
    return tuple(
        ExternSpec(
            symbol.name,
            known.get(symbol.name, ("unknown", 0))[0],
            symbol.bind == STB_WEAK,
            known.get(symbol.name, ("unknown", 0))[1],
        )
        for symbol in elf.symbols[1:]
        if symbol.section == SHN_UNDEF and symbol.bind != STB_LOCAL and symbol.name
    )


def _typed_externs(btf: Btf) -> dict[str, tuple[str, int]]:
    """Kind and type id of each extern with a type, by its name."""
    from bpfctl.elf.datasec import datasecs

    found: dict[str, tuple[str, int]] = {}
    for datasec in datasecs(btf):
        if datasec.name not in (KCONFIG, KSYMS):
            continue
        for info in datasec.vars:
            one = btf.type(info.type_id)
            kind = "kconfig" if datasec.name == KCONFIG else _ksym_kind(one.kind)
            found[one.name] = (kind, one.type_id if isinstance(one, Var) else one.id)
    return found


def _ksym_kind(kind: Kind) -> str:
    return "kfunc" if kind is Kind.FUNC else "ksym"


def unsupported_sections(elf: ElfFile) -> dict[int, str]:
    """Sections whose contents bpfctl cannot load yet, by number, in words."""
    found: dict[int, str] = {}
    for section in elf.sections:
        if section.size and (words := _unsupported(section)):
            found[section.number] = f"section {section.name} ({words})"
    return found


def data_with_addresses(elf: ElfFile, data: Iterable[Section]) -> list[str]:
    """Data sections that hold addresses: nobody fills them in, so they would be 0, in words."""
    return [
        f"section {section.name} (addresses in initialised data)"
        for section in data
        if next(elf.relocations(section), None)
    ]


def _unsupported(section: Section) -> str | None:
    if section.is_code:
        return None
    if section.name == "maps" or section.name.startswith("maps/"):
        return "map definitions as libbpf had them before 1.0"
    return next((words for start, words in _SECTIONS if section.name.startswith(start)), None)


def unsupported_constructs(
    externs: Sequence[ExternSpec], maps: Sequence[MapSpec], programs: Sequence[ProgramSpec]
) -> list[str]:
    """What else bpfctl cannot load yet, in words."""
    found = [
        f"extern {one.name} (a value of the kernel's configuration)"
        for one in externs
        if one.kind == "kconfig"
    ]
    found += [
        f"map {one.name} ({'map of maps' if one.inner else 'initial values'})"
        for one in maps
        if one.inner or one.values
    ]
    for program in programs:
        if program.section.kind is AttachKind.USDT:
            found.append(f"program {program.name} (USDT probe)")
        if program.section.kind is AttachKind.STRUCT_OPS:
            found.append(f"program {program.name} (part of a struct_ops map)")
    return found
