"""Words for what happened on the way to a rejection. Pure."""

from __future__ import annotations

import re

from bpfctl.asm.disasm import helper_name
from bpfctl.asm.insn import unpack
from bpfctl.explain.verifier_code import ARGUMENTS, FRAME_POINTER, Does
from bpfctl.explain.verifier_origin import trace
from bpfctl.explain.verifier_types import type_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from bpfctl.asm.insn import Insn
    from bpfctl.explain.verifier_origin import Trace
    from bpfctl.explain.verifier_steps import Step
    from bpfctl.rejected import ProgramCode, SourceLine

_CALLED: Final = re.compile(r"call (\w+)")
_ASSIGNED: Final = re.compile(r"(\w+)\s*=[^=]")
_TYPE: Final = re.compile(r"\w+")
# What the helpers return that programs trip over most; states in the log say the rest.
_RETURNS: Final = {
    "bpf_map_lookup_elem": "a pointer into a map value, or NULL",
    "bpf_map_lookup_percpu_elem": "a pointer into a map value, or NULL",
    "bpf_get_local_storage": "a pointer into a map value",
    "bpf_ringbuf_reserve": "a record, or NULL",
    "bpf_sk_lookup_tcp": "a socket, or NULL",
    "bpf_sk_lookup_udp": "a socket, or NULL",
    "bpf_skc_lookup_tcp": "a socket, or NULL",
    "bpf_sk_fullsock": "a socket, or NULL",
    "bpf_tcp_sock": "a TCP socket, or NULL",
    "bpf_sk_storage_get": "a pointer into a map value, or NULL",
    "bpf_task_storage_get": "a pointer into a map value, or NULL",
    "bpf_inode_storage_get": "a pointer into a map value, or NULL",
    "bpf_per_cpu_ptr": "a pointer, or NULL",
    "bpf_kptr_xchg": "what was there, or NULL",
}


def origin_words(code: ProgramCode, steps: Sequence[Step], found: Trace) -> str:
    """Where the value comes from, in one phrase."""
    if found.at is None or found.effect is None:
        return _at_the_start(code, steps, found)
    step = steps[found.at]
    if found.effect.does is Does.CALL:
        return f"{called(code, steps, found.at)} returns {_returned(steps, found.at)}"
    if found.effect.does is Does.DESTROY:
        name = called(code, steps, found.at)
        return f"the call of {name} leaves nothing in R{found.register}"
    if found.effect.does is Does.CALLBACK:
        return f"{called(code, steps, found.at)} passes it to the function it calls back"
    if found.effect.does is Does.CONSTANT:
        return f"it is set to {found.effect.offset}"
    if found.effect.does is Does.ADDRESS:
        return _address(code, step)
    return f"it is read from {_memory(code, steps, found)}"


def called(code: ProgramCode, steps: Sequence[Step], at: int) -> str:
    """The function that is called, with the map among its arguments: bpf_map_lookup_elem(m)."""
    step = steps[at]
    insn = _insn(code, step)
    if insn is not None and insn.is_subprogram_call:
        return f"{code.function(step.insn + 1 + insn.imm) or 'a function'}()"
    match = _CALLED.match(step.text)
    name = match[1] if match else "a function"
    if name == "unknown" and insn is not None and insn.is_helper_call:
        name = helper_name(insn.imm)  # newer than the kernel
    passed = trace(steps, code.insns, at, 1)
    given = ""
    if passed.at is not None and passed.effect and passed.effect.does is Does.ADDRESS:
        given = dict(code.maps).get(steps[passed.at].insn, "")
    return f"{name}({given})"


def variable(source: SourceLine | None) -> str | None:
    """The variable that a source line assigns first; None: it does not look like that."""
    found = _ASSIGNED.search(source.text) if source else None
    return found[1] if found and not found[1].isdigit() else None


def _insn(code: ProgramCode, step: Step) -> Insn | None:
    try:
        return unpack(code.insns, step.insn)
    except IndexError:
        return None


def _returned(steps: Sequence[Step], at: int) -> str:
    after = steps[at + 1].before.get("R0", "") if at + 1 < len(steps) else ""
    match = _CALLED.match(steps[at].text)
    words = _RETURNS.get(match[1]) if match else None
    if words:
        return words
    kind = _TYPE.match(after)
    return type_words(kind[0]) if kind and not kind[0].isdigit() else "this value"


def _address(code: ProgramCode, step: Step) -> str:
    name = dict(code.maps).get(step.insn)
    return f"it is the address of map {name}" if name else "it is a constant address"


def _memory(code: ProgramCode, steps: Sequence[Step], found: Trace) -> str:
    """What a load reads: the context, a map value, a kernel object."""
    if found.at is None or found.effect is None:
        return "memory"
    base, offset = found.effect.source, found.effect.offset
    known = _TYPE.match(steps[found.at].before.get(f"R{base}", ""))
    if known and not known[0].isdigit():
        return f"{type_words(known[0])}, offset {offset}"
    parent = trace(steps, code.insns, found.at, base)
    if parent.at is None and parent.frame == 0 and parent.register == 1:
        return f"the context, offset {offset}"
    if parent.effect and parent.effect.does is Does.CALL and parent.at is not None:
        return f"what {called(code, steps, parent.at)} returned, offset {offset}"
    if parent.effect and parent.effect.does is Does.ADDRESS and parent.at is not None:
        name = dict(code.maps).get(steps[parent.at].insn)
        return f"map {name}, offset {offset}" if name else f"memory, offset {offset}"
    return f"memory, offset {offset}"


def _at_the_start(code: ProgramCode, steps: Sequence[Step], found: Trace) -> str:
    """What was there when the way began, at the program's first instruction or a function's."""
    register = found.register
    if register == FRAME_POINTER:
        return "it is the frame pointer: the stack"
    name = code.function(steps[0].insn)
    is_main = not code.functions or name == code.functions[0][1]
    if register == 1 and found.frame == 0 and is_main:
        return "it is the context, the program's argument"
    if register in ARGUMENTS and found.frame == 0 and not is_main:
        return f"it is argument {register} of {name}(), which is checked alone for any caller"
    return "nothing on this path sets it"
