"""Put the descriptors of loaded maps into linked code."""

from __future__ import annotations

import struct

from bpfctl.asm.insn import (
    BPF_LD_IMM64,
    BPF_PSEUDO_MAP_FD,
    BPF_PSEUDO_MAP_VALUE,
    SLOT_BYTES,
)
from bpfctl.elf.spec import RelocKind
from bpfctl.errors import RelocationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bpfctl.elf.spec import MapSpec, Reloc
    from bpfctl.loader.link_code import LinkedCode

_IMM = struct.Struct("<i")
_OFFSET = struct.Struct("<I")
_OFFSET_OF_IMM = 4
# Externs may be anything, and a jump table's map is made for the program alone.
_NO_MAPS = (RelocKind.EXTERN, RelocKind.JUMP_TABLE)


def referenced_maps(linked: LinkedCode, maps: Iterable[MapSpec]) -> dict[Reloc, str]:
    """Name the map behind each reference that is left in linked code.

    Raises: RelocationError for a reference to no map.
    """
    by_name = {spec.name: spec for spec in maps}
    by_section = {spec.section: spec for spec in by_name.values() if spec.section}
    found = {}
    for index, reloc in linked.relocs:
        if reloc.kind in _NO_MAPS:
            continue
        spec = (by_name if reloc.kind is RelocKind.MAP else by_section).get(reloc.target)
        if spec is None:
            raise _error(reloc, index, f"{reloc.target} is no map of this object")
        found[reloc] = spec.name
    return found


def set_map_fds(
    linked: LinkedCode, names: Mapping[Reloc, str], descriptors: Mapping[str, int]
) -> None:
    """Make each ld_imm64 of a map or of data load the map's descriptor.

    `names` is what `referenced_maps` gives; `descriptors` has the file descriptor of each map.
    Source: include/uapi/linux/bpf.h, BPF_PSEUDO_MAP_FD and BPF_PSEUDO_MAP_VALUE (Linux 5.2).
    """
    for index, reloc in linked.relocs:
        if reloc.kind in _NO_MAPS:
            continue
        at = index * SLOT_BYTES
        if linked.code[at] != BPF_LD_IMM64:
            raise _error(
                reloc, index, f"the instruction that refers to {reloc.target} is no ld_imm64"
            )
        pseudo = BPF_PSEUDO_MAP_FD if reloc.kind is RelocKind.MAP else BPF_PSEUDO_MAP_VALUE
        linked.code[at + 1] = linked.code[at + 1] & 0x0F | pseudo << 4
        _IMM.pack_into(linked.code, at + _OFFSET_OF_IMM, descriptors[names[reloc]])
        _OFFSET.pack_into(linked.code, at + SLOT_BYTES + _OFFSET_OF_IMM, reloc.offset & 0xFFFFFFFF)


def _error(reloc: Reloc, index: int, message: str) -> RelocationError:
    return RelocationError(message, insn_index=index, symbol=reloc.target)
