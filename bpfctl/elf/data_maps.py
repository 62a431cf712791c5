"""The maps behind data sections: .rodata, .data, .bss and theirs with more words to the name."""

from __future__ import annotations

from bpfctl.btf.types import Datasec, Var, VarLinkage
from bpfctl.elf.datasec import datasecs
from bpfctl.elf.elf_file import SHF_ALLOC, SHT_NOBITS
from bpfctl.elf.externs import KCONFIG
from bpfctl.elf.spec import MapSpec
from bpfctl.kernel.uapi import MapType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.elf_file import ElfFile, Section
    from bpfctl.elf.spec import ExternSpec

# BPF_F_MMAPABLE and BPF_F_RDONLY_PROG, include/uapi/linux/bpf.h, Linux 6.18.
_MMAPABLE: Final = 1 << 10
_RDONLY_PROG: Final = 1 << 7

_RODATA: Final = ".rodata"
_BASES: Final = (_RODATA, ".data", ".bss")
_NAME_BYTES: Final = 15  # BPF_OBJ_NAME_LEN without its zero
_SUFFIX_BYTES: Final = 7  # of which the longest section name takes that many
_KEY_BYTES: Final = 4
MAX_SECTION_BYTES: Final = 1 << 30


def data_sections(elf: ElfFile) -> dict[int, Section]:
    """The data sections that are not empty, by section number.

    Raises: ObjectFileError when one is too large for a map, or two have one name.
    """
    found: dict[int, Section] = {}
    names: set[str] = set()
    for section in elf.sections:
        if not section.flags & SHF_ALLOC or not section.size or not _is_data(section.name):
            continue
        if section.name in names:
            raise elf.error("occurs twice", section)
        if section.size > MAX_SECTION_BYTES:
            raise elf.error(f"is {section.size} bytes large", section)
        names.add(section.name)
        found[section.number] = section
    return found


def data_with_addresses(elf: ElfFile, data: Iterable[Section]) -> list[str]:
    """Warn of data sections that hold addresses: nobody fills them in, as with libbpf."""
    return [
        f"section {section.name} holds addresses of variables or functions; they stay 0"
        for section in data
        if next(elf.relocations(section), None)
    ]


def _is_data(name: str) -> bool:
    return any(name == base or name.startswith(base + ".") for base in _BASES)


def data_maps(sections: Iterable[Section], btf: Btf | None, path: str) -> list[MapSpec]:
    """The blueprints of the maps behind data sections, in the order given."""
    types = {one.name: one for one in datasecs(btf)} if btf else {}
    return [_data_map(section, btf, types.get(section.name), path) for section in sections]


def _data_map(section: Section, btf: Btf | None, datasec: Datasec | None, path: str) -> MapSpec:
    """The map behind a section: one value, which is the whole section."""
    read_only = section.name == _RODATA or section.name.startswith(_RODATA + ".")
    flags = _RDONLY_PROG if read_only else 0
    if btf and datasec and _has_visible_variable(btf, datasec):
        flags |= _MMAPABLE
    return MapSpec(
        name=map_name(path, section.name),
        type=MapType.ARRAY,
        key_size=_KEY_BYTES,
        value_size=section.size,
        max_entries=1,
        flags=flags,
        value_type_id=datasec.id if datasec else 0,
        section=section.name,
        contents=None if section.type == SHT_NOBITS else bytes(section.data),
        read_only=read_only,
    )


def kconfig_map(btf: Btf | None, externs: Iterable[ExternSpec], path: str) -> list[MapSpec]:
    """The map with values of the kernel's configuration, if the object wants any.

    Its contents depend on the kernel: a loader fills it.
    """
    if btf is None or not any(one.kind == "kconfig" for one in externs):
        return []
    types = next(one for one in datasecs(btf) if one.name == KCONFIG)
    return [
        MapSpec(
            name=map_name(path, KCONFIG),
            type=MapType.ARRAY,
            key_size=_KEY_BYTES,
            value_size=types.size_bytes,
            max_entries=1,
            flags=_RDONLY_PROG | _MMAPABLE,
            value_type_id=types.id,
            section=KCONFIG,
            read_only=True,
        )
    ]


def map_name(path: str, section: str) -> str:
    """The name libbpf gives: the beginning of the file's name and the section's.

    A section with more words to its name (".rodata.tuning") keeps that name alone.
    """
    if "." in section[1:]:
        return section
    stem = path.rpartition("/")[2].partition(".")[0]
    room = _NAME_BYTES - max(_SUFFIX_BYTES, len(section))
    name = stem[:room] + section
    return "".join(c if c.isascii() and (c.isalnum() or c in "_.") else "_" for c in name)


def _has_visible_variable(btf: Btf, datasec: Datasec) -> bool:
    """Whether user space has something to look at: a variable that is not static."""
    variables = (btf.type(info.type_id) for info in datasec.vars)
    return any(isinstance(v, Var) and v.linkage != VarLinkage.STATIC for v in variables)
