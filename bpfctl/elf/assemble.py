"""Put an `ObjectSpec` together from the parts of an ELF file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bpfctl.elf.code_info import CodeInfo
from bpfctl.elf.data_maps import data_maps, data_sections
from bpfctl.elf.externs import (
    data_with_addresses,
    find_externs,
    unsupported_constructs,
    unsupported_sections,
)
from bpfctl.elf.functions import find_functions
from bpfctl.elf.map_defs import SECTION as MAPS
from bpfctl.elf.map_defs import read_map_defs
from bpfctl.elf.map_values import with_values
from bpfctl.elf.relocs import RelocReader
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import FunctionSpec, ObjectSpec, ProgramSpec
from bpfctl.errors import ObjectFileError, SectionNameError

if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import BtfExt
    from bpfctl.elf.elf_file import ElfFile, Section
    from bpfctl.elf.functions import Function, FunctionIndex
    from bpfctl.elf.sections import SectionName
    from bpfctl.elf.spec import MapSpec, Reloc

_NO_MAPS: Final = -1


class _Maps(NamedTuple):
    """The maps of .maps: their section's number, blueprints, and names by place."""

    section: int
    specs: list[MapSpec]
    by_offset: dict[int, str]


def assemble(elf: ElfFile) -> ObjectSpec:
    """Make the blueprint of an object.

    Raises: ObjectFileError, SectionNameError, BtfError, RelocationError.
    """
    functions = find_functions(elf)
    programs = _programs(elf, functions)
    btf, ext = _type_info(elf)
    maps, data = _maps(elf, btf), data_sections(elf)
    ignored = unsupported_sections(elf)
    externs = find_externs(elf, btf)
    reader = RelocReader(elf, functions, maps.section, maps.by_offset, data, frozenset(ignored))
    lacking = [
        *ignored.values(),
        *data_with_addresses(elf, data.values()),
        *unsupported_constructs(externs, maps.specs, programs),
    ]
    return ObjectSpec(
        path=elf.path,
        license=_license(elf),
        kernel_version=_kernel_version(elf),
        programs=programs,
        functions=_functions(elf, functions, reader, CodeInfo(ext)),
        maps=_distinct(elf, [*maps.specs, *data_maps(data.values(), btf, elf.path)]),
        externs=externs,
        btf=btf,
        unsupported=tuple(lacking),
        warnings=_warnings(programs),
    )


# --- programs and functions


def _programs(elf: ElfFile, functions: FunctionIndex) -> tuple[ProgramSpec, ...]:
    """All entry points. Raises: SectionNameError, with the programs of the section concerned."""
    names: dict[str, SectionName] = {}
    for function in functions:
        text = function.section.name
        if not function.is_program or text in names:
            continue
        try:
            names[text] = parse_section_name(text, path=elf.path or None)
        except SectionNameError as err:
            inside = [f.symbol.name for f in functions if f.section is function.section]
            err.evidence.insert(0, f"programs in it: {', '.join(inside)}")
            raise
    return tuple(
        ProgramSpec(one.symbol.name, names[one.section.name], one.key)
        for one in functions
        if one.is_program
    )


def _functions(
    elf: ElfFile, functions: FunctionIndex, reader: RelocReader, info: CodeInfo
) -> dict[str, FunctionSpec]:
    relocs: dict[str, list[Reloc]] = {}
    for index in functions.by_section:
        relocs |= reader.read(elf.sections[index])
    return {one.key: _function(one, relocs.get(one.key, []), info) for one in functions}


def _function(function: Function, relocs: list[Reloc], info: CodeInfo) -> FunctionSpec:
    return FunctionSpec(
        key=function.key,
        name=function.symbol.name,
        section=function.section.name,
        section_offset=function.start,
        code=function.code,
        relocs=tuple(relocs),
        func_info=info.func_info(function),
        line_info=info.line_info(function),
        core_relos=info.core_relos(function),
        is_global=function.is_global,
        is_hidden=function.symbol.is_hidden,
        is_weak=function.is_weak,
    )


# --- types and maps


def _type_info(elf: ElfFile) -> tuple[Btf | None, BtfExt | None]:
    """The object's BTF, its DATASECs completed, and .BTF.ext; None for what it has not."""
    section = elf.section(".BTF")
    if section is None:
        return None, None
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import BtfExt
    from bpfctl.elf.datasec import fixup_datasecs

    raw = Btf.parse(bytes(section.data), path=elf.path)
    if raw.order != "<":
        raise elf.error("is big-endian in a little-endian file", section, 0)
    btf = Btf.parse(fixup_datasecs(raw, elf), path=elf.path)
    extended = elf.section(".BTF.ext")
    if extended is None:
        return btf, None
    return btf, BtfExt.parse(bytes(extended.data), btf, elf.path)


def _maps(elf: ElfFile, btf: Btf | None) -> _Maps:
    section = elf.section(MAPS)
    if section is None or not section.size:
        return _Maps(_NO_MAPS, [], {})
    if btf is None:
        message = "has map definitions, but the object has no BTF"
        raise _with_remedy(elf, section, message)
    found = read_map_defs(btf, section.size, elf.path)
    by_offset = {one.offset: one.spec.name for one in found}
    return _Maps(section.number, with_values(elf, section, found), by_offset)


def _distinct(elf: ElfFile, maps: list[MapSpec]) -> tuple[MapSpec, ...]:
    """Refuse two maps of one name: nobody could tell them apart."""
    names: set[str] = set()
    for one in maps:
        if one.name in names:
            raise ObjectFileError(f"has two maps called {one.name}", path=elf.path, section=MAPS)
        names.add(one.name)
    return tuple(maps)


def _with_remedy(elf: ElfFile, section: Section, message: str) -> ObjectFileError:
    err = elf.error(message, section)
    err.remedy = "compile with -g"
    return err


# --- the small sections


def _license(elf: ElfFile) -> str:
    """The license, "" when the object states none."""
    section = elf.section("license")
    text = bytes(section.data[:_LICENSE_BYTES]) if section else b""
    return text.partition(b"\0")[0].decode("utf-8", "replace")


_LICENSE_BYTES: Final = 128  # the kernel reads no more (bpf_prog_load, kernel/bpf/syscall.c)


def _kernel_version(elf: ElfFile) -> int:
    """What the object wants as kern_version, 0 when it does not care."""
    section = elf.section("version")
    if section is None:
        return 0
    if len(section.data) != 4:
        raise elf.error(f"is {len(section.data)} bytes long instead of 4", section)
    return int.from_bytes(section.data, "little")


def _warnings(programs: tuple[ProgramSpec, ...]) -> tuple[str, ...]:
    """What the author should know, once for each section name."""
    found = (program.section.warning for program in programs)
    return tuple(dict.fromkeys(words for words in found if words))
