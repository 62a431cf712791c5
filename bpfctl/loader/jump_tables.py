"""Jump tables: what a compiler makes of a large switch, for jumps to a place in a register.

Each table becomes a map whose values are instructions of the linked program; the kernel moves them
along when it rewrites the code. Only the program that is loaded with it can use it.
Source: BPF_MAP_TYPE_INSN_ARRAY, kernel/bpf/bpf_insn_array.c (Linux 6.19); the section and what is
in it are LLVM's.
"""

from __future__ import annotations

from struct import Struct, iter_unpack

from bpfctl.asm.insn import BPF_PSEUDO_MAP_VALUE, SLOT_BYTES
from bpfctl.elf.spec import RelocKind
from bpfctl.errors import BpfctlError, RelocationError
from bpfctl.kernel.attr import map_create, map_elem, map_freeze
from bpfctl.kernel.bpf import bpf, bpf_fd
from bpfctl.kernel.uapi import Cmd, MapType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack
    from typing import Final

    from bpfctl.elf.spec import ObjectSpec, Reloc
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.link_code import LinkedCode, Placed
    from bpfctl.loader.prepare import Prepared

_KEY: Final = Struct("<I")
_VALUE: Final = Struct("<IIII")  # struct bpf_insn_array_value: orig_off, what the kernel fills in
_IMM: Final = Struct("<i")
_OFFSET_OF_IMM: Final = 4


def link_jump_tables(spec: ObjectSpec, prepared: Prepared, resources: ExitStack) -> None:
    """Make the maps of a program's jump tables, and let its code refer to them.

    `resources` keeps the maps. Raises: RelocationError for a table that leads out of the function
    that uses it, SyscallError with the program's name.
    """
    linked = prepared.linked
    made: dict[tuple[str, int], Fd] = {}
    try:
        for index, reloc in linked.relocs:
            if reloc.kind is RelocKind.JUMP_TABLE:
                owner = _owner(linked, index)
                key = owner.function.key, reloc.offset
                if key not in made:
                    made[key] = resources.enter_context(_create(_targets(spec, owner, reloc)))
                _point_at(linked.code, index, made[key])
    except BpfctlError as err:
        err.within(program=prepared.spec.name)
        raise


def _owner(linked: LinkedCode, index: int) -> Placed:
    """The function that an instruction of linked code belongs to."""
    return next(one for one in reversed(linked.placed) if one.insn_offset <= index)


def _targets(spec: ObjectSpec, owner: Placed, reloc: Reloc) -> list[int]:
    """The instructions a table leads to, by their index in the linked code."""
    function = owner.function
    table = spec.jump_tables[reloc.offset : reloc.offset + reloc.size]
    found = []
    for number, (place,) in enumerate(iter_unpack("<Q", table)):
        inside = place - function.section_offset
        if inside % SLOT_BYTES or not 0 <= inside < len(function.code):
            raise RelocationError(
                f"entry {number} of a jump table leads out of function {function.name}",
                section=reloc.target,
                offset=reloc.offset + number * 8,
                insn_index=reloc.insn_index,
            )
        found.append(owner.insn_offset + inside // SLOT_BYTES)
    return found


def _create(targets: list[int]) -> Fd:
    """A frozen map of these instructions."""
    request = map_create(
        map_type=int(MapType.INSN_ARRAY),
        key_size=_KEY.size,
        value_size=_VALUE.size,
        max_entries=len(targets),
        name="jumptables",
        doing="create the map of a jump table",
    )
    fd = bpf_fd(request)
    try:
        for number, target in enumerate(targets):
            value = _VALUE.pack(target, 0, 0, 0)
            bpf(map_elem(Cmd.MAP_UPDATE_ELEM, fd, _KEY.pack(number), value))
        bpf(map_freeze(fd))
    except BaseException:
        fd.close()
        raise
    return fd


def _point_at(code: bytearray, index: int, table: Fd) -> None:
    """Let an ld_imm64 load the address of a table's first entry."""
    at = index * SLOT_BYTES
    code[at + 1] = code[at + 1] & 0x0F | BPF_PSEUDO_MAP_VALUE << 4
    _IMM.pack_into(code, at + _OFFSET_OF_IMM, table.fileno())
    _IMM.pack_into(code, at + SLOT_BYTES + _OFFSET_OF_IMM, 0)
