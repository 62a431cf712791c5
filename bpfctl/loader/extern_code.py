"""Put resolved externs into linked code.

Source: include/uapi/linux/bpf.h, BPF_PSEUDO_BTF_ID (Linux 5.10), BPF_PSEUDO_KFUNC_CALL (5.13) and
its `off`, an index into the fd_array (5.16).
"""

from __future__ import annotations

from bpfctl.asm.insn import (
    BPF_CALL_IMM,
    BPF_PSEUDO_BTF_ID,
    BPF_PSEUDO_KFUNC_CALL,
    BPF_PSEUDO_MAP_VALUE,
    Insn,
    ld_imm64,
    unpack,
    write,
)
from bpfctl.elf.externs import KCONFIG
from bpfctl.elf.spec import RelocKind
from bpfctl.errors import RelocationError
from bpfctl.loader.extern_result import Address, Bound, KernelType, Missing
from bpfctl.loader.externs import POISON_KFUNC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from bpfctl.elf.spec import ExternSpec, ObjectSpec, Reloc
    from bpfctl.loader.extern_result import Externs, Outcome
    from bpfctl.loader.link_code import LinkedCode


def bind(
    externs: Externs, spec: ObjectSpec, map_fds: Mapping[str, int], resources: ExitStack
) -> Bound:
    """Open the types of all modules that externs are in; `resources` closes them.

    Raises: NotFoundError when a module was unloaded meanwhile, SyscallError.
    """
    from bpfctl.objects.ids import ObjectKind, open_id

    fds: dict[int, int] = {}
    for outcome in externs.outcomes.values():
        module = outcome.module if isinstance(outcome, KernelType) else None
        if module is not None and module.id not in fds:
            fd = open_id(ObjectKind.BTF, module.id, f"open the types of module {module.name}")
            fds[module.id] = resources.enter_context(fd).fileno()
    name = next((one.name for one in spec.maps if one.section == KCONFIG), "")
    return Bound(map_fds, externs, name, fds)


def set_externs(linked: LinkedCode, bound: Bound) -> None:
    """Make each reference to an extern what it is on this kernel.

    Raises: RelocationError for an instruction that cannot hold it.
    """
    numbers = {one.name: number for number, one in enumerate(bound.externs.specs)}
    for index, reloc in linked.relocs:
        if reloc.kind is not RelocKind.EXTERN:
            continue
        if reloc.target not in numbers:
            raise _error(reloc, index, f"extern {reloc.target} is not declared")
        number = numbers[reloc.target]
        outcome = bound.externs.outcomes[reloc.target]
        insn = unpack(linked.code, index)
        if insn.opcode == BPF_CALL_IMM:
            write(linked.code, index, _call(bound, outcome, number, reloc, index))
            continue
        src, value = _loaded(bound, outcome, bound.externs.specs[number])
        for place, slot in enumerate(ld_imm64(insn.dst, value, src)):
            write(linked.code, index + place, slot)


def _call(bound: Bound, outcome: Outcome, number: int, reloc: Reloc, index: int) -> Insn:
    if isinstance(outcome, Missing):
        return Insn(BPF_CALL_IMM, imm=POISON_KFUNC + number)
    if not isinstance(outcome, KernelType):
        raise _error(reloc, index, f"a call of {reloc.target}, which is no function")
    module = outcome.module
    off = bound.externs.modules.index(module) + 1 if module else 0
    return Insn(BPF_CALL_IMM, src=BPF_PSEUDO_KFUNC_CALL, off=off, imm=outcome.type_id)


def _loaded(bound: Bound, outcome: Outcome, extern: ExternSpec) -> tuple[int, int]:
    """What an ld_imm64 becomes: its source register, and 64 bits of value."""
    if extern.kind == "kconfig":
        return BPF_PSEUDO_MAP_VALUE, bound.map_fds[bound.kconfig_map] | extern.offset << 32
    if isinstance(outcome, KernelType):
        fd = bound.module_fds[outcome.module.id] if outcome.module else 0
        return BPF_PSEUDO_BTF_ID, outcome.type_id | fd << 32
    return 0, outcome.address if isinstance(outcome, Address) else 0


def _error(reloc: Reloc, index: int, message: str) -> RelocationError:
    return RelocationError(message, insn_index=index, symbol=reloc.target)
