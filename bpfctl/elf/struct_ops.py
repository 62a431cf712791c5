"""Implementations of a kernel's structs of functions: variables of sections .struct_ops*.

Each variable is a map. Its functions are relocations of the section, the rest is data. Sections
with ".link" are attached by a link, those that begin with "?" are made only when asked for.
Source: the behaviour of libbpf 1.5; .struct_ops of Linux 5.6, .struct_ops.link of 6.4.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.elf.elf_file import SHT_NOBITS
from bpfctl.elf.map_sections import STRUCT_OPS_LINK, is_struct_ops
from bpfctl.elf.section_def import AttachKind
from bpfctl.elf.spec import MapSpec, StructOpsSpec
from bpfctl.kernel.uapi import MapType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.elf_file import ElfFile, Relocation, Section
    from bpfctl.elf.functions import FunctionIndex
    from bpfctl.elf.spec import ProgramSpec

_F_LINK: Final = 1 << 13  # BPF_F_LINK, include/uapi/linux/bpf.h, Linux 6.4
_KEY_BYTES: Final = 4
_POINTER_BYTES: Final = 8


def read_struct_ops(
    elf: ElfFile, btf: Btf | None, functions: FunctionIndex, programs: tuple[ProgramSpec, ...]
) -> list[MapSpec]:
    """A blueprint for each variable, by section and place.

    `btf` has its DATASECs completed. Raises: ObjectFileError for a variable that is no struct, and
    a reference to what is no struct_ops program.
    """
    by_key = {one.function: one for one in programs}
    found = []
    for section in filter(is_struct_ops, elf.sections):
        datasec = _datasec(btf, section)
        if btf is None or datasec is None:
            raise elf.error("has no types: compile with -g", section)
        targets = {
            relocation.offset: _program(elf, section, relocation, functions, by_key)
            for relocation in elf.relocations(section)
        }
        found += [_map(elf, section, btf, info, targets) for info in datasec.vars]
    return found


def _datasec(btf: Btf | None, section: Section) -> t.Datasec | None:
    type_id = btf.find(section.name, t.Kind.DATASEC) if btf else None
    found = btf.type(type_id) if btf and type_id else None
    return found if isinstance(found, t.Datasec) else None


def _map(
    elf: ElfFile, section: Section, btf: Btf, info: t.VarSecinfo, targets: Mapping[int, str]
) -> MapSpec:
    variable = btf.type(info.type_id)
    struct = btf.type(btf.skip_modifiers(variable.type_id)) if isinstance(variable, t.Var) else None
    if not isinstance(struct, t.Struct) or struct.is_union:
        raise elf.error(f"has {variable.name}, which is no struct", section, info.offset)
    end = info.offset + struct.size_bytes
    if end > section.size:
        raise elf.error(f"has variable {variable.name} behind its end", section, info.offset)
    zero = section.type == SHT_NOBITS
    data = bytes(struct.size_bytes) if zero else bytes(section.data[info.offset : end])
    inside = {at - info.offset: name for at, name in targets.items() if info.offset <= at < end}
    return MapSpec(
        name=variable.name,
        type=MapType.STRUCT_OPS,
        key_size=_KEY_BYTES,
        value_size=struct.size_bytes,
        max_entries=1,
        flags=_F_LINK if section.name.endswith(STRUCT_OPS_LINK) else 0,
        struct_ops=StructOpsSpec(
            type_id=struct.id,
            data=data,
            programs=tuple(_members(elf, section, btf, struct, inside)),
            optional=section.name.startswith("?"),
        ),
    )


def _members(
    elf: ElfFile, section: Section, btf: Btf, struct: t.Struct, inside: Mapping[int, str]
) -> Iterator[tuple[str, str]]:
    """Member and program of each reference within a variable."""
    by_offset = {member.offset_bits: member for member in struct.members}
    for offset, program in sorted(inside.items()):
        member = by_offset.get(8 * offset)
        if member is None or not _points_to_function(btf, member.type_id):
            message = f"refers to {program} where {struct.name} has no pointer to a function"
            raise elf.error(message, section, offset)
        yield member.name, program


def _points_to_function(btf: Btf, type_id: int) -> bool:
    pointer = btf.type(btf.skip_modifiers(type_id))
    if not isinstance(pointer, t.Ptr):
        return False
    return isinstance(btf.type(btf.skip_modifiers(pointer.type_id)), t.FuncProto)


def _program(
    elf: ElfFile,
    section: Section,
    relocation: Relocation,
    functions: FunctionIndex,
    programs: Mapping[str, ProgramSpec],
) -> str:
    symbol = elf.symbol_of(relocation, section)
    addend = bytes(section.data[relocation.offset : relocation.offset + _POINTER_BYTES])
    place = symbol.value + int.from_bytes(addend, "little")
    function = functions.starting(symbol.section, place)
    program = programs.get(function.key) if function else None
    if program is None or program.section.kind is not AttachKind.STRUCT_OPS:
        name = symbol.name or (function.symbol.name if function else "something")
        message = f"refers to {name}, which is no program of a section struct_ops"
        raise elf.error(message, section, relocation.offset)
    return program.name
