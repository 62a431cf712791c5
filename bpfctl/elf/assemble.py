"""Put an `ObjectSpec` together from the parts of an ELF file.

What few objects have is imported for those that have it.
"""

from __future__ import annotations

from bpfctl.elf.code_info import CodeInfo
from bpfctl.elf.data_maps import data_maps, data_sections, data_with_addresses, kconfig_map
from bpfctl.elf.decl_tags import exception_callbacks
from bpfctl.elf.externs import find_externs
from bpfctl.elf.functions import find_functions
from bpfctl.elf.map_sections import MAPS, arena_section, is_legacy, is_struct_ops
from bpfctl.elf.relocs import JUMP_TABLES, RelocReader
from bpfctl.elf.sections import parse_section_name, retyped
from bpfctl.elf.spec import FunctionSpec, ObjectSpec, ProgramSpec
from bpfctl.errors import ObjectFileError, SectionNameError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import BtfExt
    from bpfctl.elf.elf_file import ElfFile, Section
    from bpfctl.elf.functions import Function, FunctionIndex
    from bpfctl.elf.section_def import SectionDef
    from bpfctl.elf.sections import SectionName
    from bpfctl.elf.spec import ExternSpec, MapSpec, Reloc


class _Maps(NamedTuple):
    """The maps that definitions make: blueprints, and names by section number and place.

    `sections` are those whose names say where in a map their programs go.
    """

    specs: list[MapSpec]
    places: dict[int, dict[int, str]]
    sections: dict[str, SectionName]


def assemble(elf: ElfFile, prog_type: SectionDef | None = None) -> ObjectSpec:
    """Make the blueprint of an object; with `prog_type` all its programs are of that kind.

    Raises: ObjectFileError, SectionNameError, BtfError, RelocationError.
    """
    functions = find_functions(elf)
    types = _type_info(elf)
    btf = types.btf
    maps, data = _maps(elf, btf, functions), data_sections(elf)
    programs = _programs(elf, functions, prog_type, maps.sections)
    arena, tables = arena_section(elf), elf.section(JUMP_TABLES)
    addressed = data if arena is None else {**data, arena.number: arena}
    reader = RelocReader(elf, functions, maps.places, addressed)
    return ObjectSpec(
        path=elf.path,
        license=_license(elf),
        kernel_version=_kernel_version(elf),
        programs=programs,
        functions=_functions(elf, functions, reader, types),
        maps=_distinct(
            elf,
            [
                *maps.specs,
                *data_maps(data.values(), btf, elf.path),
                *kconfig_map(btf, types.externs, elf.path),
                *_struct_ops(elf, btf, functions, programs),
            ],
        ),
        externs=types.externs,
        btf=btf,
        jump_tables=bytes(tables.data) if tables else b"",
        warnings=(*_warnings(programs), *data_with_addresses(elf, addressed.values())),
    )


# --- programs and functions


def _programs(
    elf: ElfFile,
    functions: FunctionIndex,
    prog_type: SectionDef | None,
    known: Mapping[str, SectionName],
) -> tuple[ProgramSpec, ...]:
    """All entry points; what the names of some sections mean is known.

    Raises: SectionNameError, with the programs of the section concerned.
    """
    names = {} if prog_type else dict(known)
    for function in functions:
        text = function.section.name
        if not function.is_program or text in names:
            continue
        if prog_type:
            names[text] = retyped(text, prog_type)
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
    elf: ElfFile, functions: FunctionIndex, reader: RelocReader, types: _Types
) -> dict[str, FunctionSpec]:
    relocs: dict[str, list[Reloc]] = {}
    for index in functions.by_section:
        relocs |= reader.read(elf.sections[index])
    info, callbacks = CodeInfo(types.ext), exception_callbacks(types.btf, functions)
    return {one.key: _function(one, relocs.get(one.key, []), info, callbacks) for one in functions}


def _function(
    function: Function, relocs: list[Reloc], info: CodeInfo, callbacks: dict[int, str]
) -> FunctionSpec:
    records = info.func_info(function)
    return FunctionSpec(
        key=function.key,
        name=function.symbol.name,
        section=function.section.name,
        section_offset=function.start,
        code=function.code,
        relocs=tuple(relocs),
        func_info=records,
        line_info=info.line_info(function),
        core_relos=info.core_relos(function),
        is_global=function.is_global,
        is_hidden=function.symbol.is_hidden,
        is_weak=function.is_weak,
        exception_callback=callbacks.get(records[0].type_id) if records else None,
    )


# --- types and maps


WITHOUT_BTF: Final = "object-without-btf"


class _Types(NamedTuple):
    """The object's BTF as the kernel wants it, .BTF.ext and externs; None for what it has not."""

    btf: Btf | None
    ext: BtfExt | None
    externs: tuple[ExternSpec, ...]


def _type_info(elf: ElfFile) -> _Types:
    section = elf.section(".BTF")
    if section is None:
        return _Types(None, None, find_externs(elf, None))
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import BtfExt
    from bpfctl.elf.datasec import fixup_datasecs

    raw = Btf.parse(bytes(section.data), path=elf.path)
    if raw.order != "<":
        raise elf.error("is big-endian in a little-endian file", section, 0)
    btf = Btf.parse(fixup_datasecs(raw, elf), path=elf.path)
    externs = find_externs(elf, btf)
    if externs:
        from bpfctl.elf.extern_btf import fixup_externs

        btf = Btf.parse(fixup_externs(btf, externs), path=elf.path)
    extended = elf.section(".BTF.ext")
    ext = BtfExt.parse(bytes(extended.data), btf, elf.path) if extended else None
    return _Types(btf, ext, externs)


def _maps(elf: ElfFile, btf: Btf | None, functions: FunctionIndex) -> _Maps:
    """The maps of .maps and of the sections that older definitions are in."""
    found = _typed_maps(elf, btf)
    if any(is_legacy(section) for section in elf.sections):
        from bpfctl.elf.legacy_maps import read_legacy_maps
        from bpfctl.elf.tail_calls import with_tail_calls

        legacy, sections = with_tail_calls(read_legacy_maps(elf, btf), functions)
        found.sections.update(sections)
        for one in legacy:
            found.specs.append(one.spec)
            found.places.setdefault(one.section, {})[one.offset] = one.spec.name
    if arena_section(elf) is None:
        return found
    from bpfctl.elf.arena import with_arena

    return found._replace(specs=with_arena(elf, found.specs))


def _typed_maps(elf: ElfFile, btf: Btf | None) -> _Maps:
    section = elf.section(MAPS)
    if section is None or not section.size:
        return _Maps([], {}, {})
    if btf is None:
        raise _without_btf(elf, section)
    from bpfctl.elf.map_defs import read_map_defs
    from bpfctl.elf.map_values import with_values

    found = read_map_defs(btf, section.size, elf.path)
    by_offset = {one.offset: one.spec.name for one in found}
    return _Maps(with_values(elf, section, found), {section.number: by_offset}, {})


def _struct_ops(
    elf: ElfFile, btf: Btf | None, functions: FunctionIndex, programs: tuple[ProgramSpec, ...]
) -> list[MapSpec]:
    if not any(is_struct_ops(section) for section in elf.sections):
        return []
    from bpfctl.elf.struct_ops import read_struct_ops

    return read_struct_ops(elf, btf, functions, programs)


def _distinct(elf: ElfFile, maps: list[MapSpec]) -> tuple[MapSpec, ...]:
    """Refuse two maps of one name: nobody could tell them apart."""
    names: set[str] = set()
    for one in maps:
        if one.name in names:
            raise ObjectFileError(f"has two maps called {one.name}", path=elf.path, section=MAPS)
        names.add(one.name)
    return tuple(maps)


def _without_btf(elf: ElfFile, section: Section) -> ObjectFileError:
    err = elf.error("has map definitions, but the object has no type information (BTF)", section)
    err.code = WITHOUT_BTF
    err.evidence.append("there is no section .BTF")
    err.remedy = "compile with -g, and with clang 10 or later (gcc 12 or later: -gbtf)"
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
