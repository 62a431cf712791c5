"""Maps that one program alone may use: the kernel knows it by the hash of its instructions.

Source: excl_prog_hash of MAP_CREATE, Linux 6.18; bpf_prog_calc_tag(), kernel/bpf/core.c: SHA-256 of
the instructions, with 0 for the descriptors and offsets of maps.
"""

from __future__ import annotations

from bpfctl.asm.insn import (
    BPF_LD_IMM64,
    BPF_PSEUDO_BTF_ID,
    BPF_PSEUDO_MAP_FD,
    BPF_PSEUDO_MAP_VALUE,
    find_opcode,
    unpack,
    write,
)
from bpfctl.errors import NotFoundError, UsageError
from bpfctl.loader.extern_code import set_externs
from bpfctl.loader.extern_result import Bound
from bpfctl.loader.relocs import set_map_fds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from bpfctl.elf.spec import ObjectSpec
    from bpfctl.loader.extern_result import Externs
    from bpfctl.loader.prepare import Prepared

_OF_MAPS: Final = (BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE)


def owners(
    spec: ObjectSpec, wishes: Mapping[str, str], prepared: Iterable[Prepared], externs: Externs
) -> dict[str, bytes]:
    """The hash of the program that each exclusive map is for; `wishes` has programs by maps.

    Raises: NotFoundError for a map that the object does not have, or a program that is not loaded;
    UsageError for a program whose code is known only when it loads.
    """
    programs = {one.spec.name: one for one in prepared}
    maps = {one.name for one in spec.maps}
    hashes = {}
    for name, program in wishes.items():
        if name not in maps:
            raise NotFoundError(f"no map is called {name}", subject=spec.path)
        if program not in programs:
            raise NotFoundError(f"no program {program} is loaded, which map {name} is to be for")
        hashes[name] = program_hash(programs[program], externs)
    return hashes


def program_hash(prepared: Prepared, externs: Externs) -> bytes:
    """The SHA-256 by which the kernel will know a program. Raises: UsageError."""
    import hashlib

    linked = prepared.linked._replace(code=bytearray(prepared.linked.code))
    nowhere = dict.fromkeys(prepared.map_names.values(), 0)
    set_map_fds(linked, prepared.map_names, nowhere)
    set_externs(linked, Bound({"": 0}, externs, "", _NoDescriptors()))
    for index in find_opcode(linked.code, BPF_LD_IMM64):
        first, second = unpack(linked.code, index), unpack(linked.code, index + 1)
        if first.src in _OF_MAPS:
            write(linked.code, index, first._replace(imm=0))
            write(linked.code, index + 1, second._replace(imm=0))
        elif first.src == BPF_PSEUDO_BTF_ID and second.imm < 0:
            raise UsageError(
                f"program {prepared.spec.name} refers to a variable of a module, whose place in its"
                " code is not known before the load: no map can be for it alone"
            )
    return hashlib.sha256(linked.code).digest()


class _NoDescriptors(dict[int, int]):
    """Descriptors of modules' types, none of which is open: -1 marks their places in code."""

    def __missing__(self, key: int) -> int:
        return -1
