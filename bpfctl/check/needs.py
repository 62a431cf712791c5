"""What an object needs, kernel or no kernel: the questions that a check puts to each."""

from __future__ import annotations

from bpfctl.asm.core_patch import POISON_HELPER
from bpfctl.asm.insn import BPF_CALL_IMM, find_opcode, unpack
from bpfctl.elf.spec import RelocKind
from bpfctl.loader.link_code import reachable
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bpfctl.elf.spec import FunctionSpec, MapSpec, ObjectSpec, ProgramSpec


@plain
class Needs:
    """The functions of each program, and which programs use each helper, map and function.

    Names are those of programs; `helpers` is by number, `maps` by name, `functions` by key.
    """

    reached: dict[str, list[FunctionSpec]]
    helpers: dict[int, list[str]]
    functions: dict[str, list[str]]


def needs_of(spec: ObjectSpec, programs: Iterable[ProgramSpec]) -> Needs:
    """Walk the calls of all programs. Raises: RelocationError for a function that is not there."""
    reached = {one.name: reachable(spec, one.function) for one in programs}
    helpers: dict[int, list[str]] = {}
    functions: dict[str, list[str]] = {}
    called = {one.key: helper_calls(one) for found in reached.values() for one in found}
    for program, found in reached.items():
        for function in found:
            functions.setdefault(function.key, []).append(program)
            for number in called[function.key].values():
                users = helpers.setdefault(number, [])
                if program not in users:
                    users.append(program)
    return Needs(reached, dict(sorted(helpers.items())), functions)


def helper_calls(function: FunctionSpec) -> dict[int, int]:
    """The numbers of the helpers that a function calls, by the index of the instruction."""
    linked = {
        one.insn_index for one in function.relocs if one.kind in (RelocKind.CALL, RelocKind.EXTERN)
    }
    return {at: number for at, number in calls_in(function.code) if at not in linked}


def calls_in(code: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield place and number of each call of a helper in code."""
    for at in find_opcode(code, BPF_CALL_IMM):
        insn = unpack(code, at)
        if insn.is_helper_call and insn.imm != POISON_HELPER:
            yield at, insn.imm


def all_maps(maps: Iterable[MapSpec]) -> Iterator[MapSpec]:
    """Yield maps, and after each the map in it."""
    for one in maps:
        yield one
        if one.inner is not None:
            yield from all_maps([one.inner])
