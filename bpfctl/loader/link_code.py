"""One piece of code out of a program and the subprograms it reaches.

The kernel takes a program as one array of instructions. Subprograms go behind the main function,
each once, depth first in the order of the first call: libbpf's order, so that the tag (a hash over
the code) of the same program is the same whoever loads it.
"""

from __future__ import annotations

import struct

from bpfctl.asm.insn import BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC, SLOT_BYTES
from bpfctl.elf.spec import RelocKind
from bpfctl.errors import RelocationError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpfctl.elf.spec import FunctionSpec, ObjectSpec, Reloc

_OFFSET_OF_IMM = 4
_TO_CODE = (RelocKind.CALL, RelocKind.FUNC_ADDRESS)


class Placed(NamedTuple):
    """A function and where it begins, in 8-byte instruction slots."""

    function: FunctionSpec
    insn_offset: int


class LinkedCode(NamedTuple):
    """Code with every call resolved, and what is left to resolve.

    `relocs` holds the references that do not lead to code, as (insn index in `code`, reference).
    """

    code: bytearray
    placed: tuple[Placed, ...]
    relocs: tuple[tuple[int, Reloc], ...]


def reachable(spec: ObjectSpec, main: str) -> list[FunctionSpec]:
    """The function with key `main` and all it calls or takes the address of, in libbpf's order.

    The function that handles its exceptions comes last: only the kernel calls it.
    Raises: RelocationError for a reference to a function that the object does not have.
    """
    order: dict[str, FunctionSpec] = {}
    callback = _add_with_callees(spec, main, order).exception_callback
    if callback and callback not in order:
        _add_with_callees(spec, callback, order)
    return list(order.values())


def _add_with_callees(spec: ObjectSpec, main: str, order: dict[str, FunctionSpec]) -> FunctionSpec:
    order[main] = _function(spec, main, None)
    open_scans = [_callees(order[main])]
    while open_scans:
        step = next(open_scans[-1], None)
        if step is None:
            open_scans.pop()
        elif step.target not in order:
            order[step.target] = _function(spec, step.target, step)
            open_scans.append(_callees(order[step.target]))
    return order[main]


def link(
    spec: ObjectSpec, main: str, code_of: Callable[[FunctionSpec], bytes | bytearray]
) -> LinkedCode:
    """Link the program whose entry is the function with key `main`.

    `code_of` gives a function's instructions (CO-RE fixups may have changed them).
    Raises: RelocationError.
    """
    code = bytearray()
    placed = []
    for function in reachable(spec, main):
        placed.append(Placed(function, len(code) // SLOT_BYTES))
        code += code_of(function)
    starts = {one.function.key: one.insn_offset for one in placed}
    rest = []
    for one in placed:
        for reloc in one.function.relocs:
            index = one.insn_offset + reloc.insn_index
            _check_inside(reloc, one.function)
            if reloc.kind in _TO_CODE:
                _point_at(code, index, starts[reloc.target], reloc.kind)
            else:
                rest.append((index, reloc))
    return LinkedCode(code, tuple(placed), tuple(rest))


def _callees(function: FunctionSpec) -> Iterator[Reloc]:
    relocs = (reloc for reloc in function.relocs if reloc.kind in _TO_CODE)
    return iter(sorted(relocs, key=lambda reloc: reloc.insn_index))


def _function(spec: ObjectSpec, key: str, reloc: Reloc | None) -> FunctionSpec:
    try:
        return spec.functions[key]
    except KeyError:
        raise RelocationError(
            f"function {key} is not in the object",
            path=spec.path,
            symbol=key,
            insn_index=reloc.insn_index if reloc else None,
        ) from None


def _check_inside(reloc: Reloc, function: FunctionSpec) -> None:
    slots = 1 if reloc.kind is RelocKind.CALL else 2
    if reloc.kind is RelocKind.EXTERN:
        slots = 1
    if not 0 <= reloc.insn_index <= len(function.code) // SLOT_BYTES - slots:
        raise RelocationError(
            f"reference to {reloc.target} lies outside of function {function.name}",
            insn_index=reloc.insn_index,
            symbol=reloc.target,
        )


def _point_at(code: bytearray, index: int, target: int, kind: RelocKind) -> None:
    """Make the instruction at `index` refer to the one at `target`, relative to its successor.

    Source: kernel/bpf/verifier.c add_subprog_and_kfunc(), Linux 5.13: both forms are relative to
    the slot after the instruction's first one.
    """
    pseudo = BPF_PSEUDO_CALL if kind is RelocKind.CALL else BPF_PSEUDO_FUNC
    at = index * SLOT_BYTES
    code[at + 1] = code[at + 1] & 0x0F | pseudo << 4
    struct.pack_into("<i", code, at + _OFFSET_OF_IMM, target - index - 1)
