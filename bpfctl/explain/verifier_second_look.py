"""What the way to a failure says better than the verifier's words. Pure.

The verifier tells what a register is, not what it was: a pointer that was released, or that a call
made worthless, is "a number" to it, and so is NULL.
"""

from __future__ import annotations

import errno
import re
from collections import Counter

from bpfctl.asm.insn import unpack
from bpfctl.explain.verifier_code import Does
from bpfctl.explain.verifier_messages import Match, recognise
from bpfctl.explain.verifier_origin import trace
from bpfctl.explain.verifier_rules_way import (
    BEYOND_BUFFER,
    CONTEXT,
    CURRENT_TASK,
    FORMAT,
    IS_NULL,
    LEAKED,
    MOVED,
    NO_ARGUMENT,
    NO_RESULT,
    OUT_OF_BOUNDS,
    READ_TWICE,
    RECURSION,
    REGION_CALL,
    REGION_LEFT,
    RELEASED,
    RELEASES,
    RETURNED,
    TOO_MANY_MAPS,
    UNWRITTEN,
)
from bpfctl.explain.verifier_types import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from bpfctl.explain.verifier_path import Way
    from bpfctl.explain.verifier_rule import Rule
    from bpfctl.rejected import ProgramCode

_CALL: Final = "85"
_EXIT: Final = "95"
_SCALARS: Final = re.compile(r"R\d+ (?:invalid mem access '(?:inv|scalar)'|type=(?:inv|scalar) )")
_NUMBER: Final = re.compile(r"(?:inv|scalar|P?-?\d|$)")
_ZERO: Final = re.compile(r"(?:0|inv0|P0)$")
_CALLED: Final = re.compile(r"call (\w+)")
_RELEASE: Final = re.compile(r"call (bpf_\w*(?:release|submit|discard|_put|_drop|destroy)\w*)")
# bpf_helper_changes_pkt_data(), net/core/filter.c (Linux 6.12).
_MOVES: Final = re.compile(
    r"call (bpf_(?:xdp_adjust_\w+|skb_(?:vlan_\w+|store_bytes|change_\w+|pull_data|adjust_room)|"
    r"l[34]_csum_replace|clone_redirect|lwt_\w+|msg_(?:pull|push|pop)_data|store_hdr_opt|"
    r"reserve_hdr_opt|tcp_raw\w+))"
)
_TASK: Final = re.compile(r"call bpf_get_current_task#")
_FORMATS: Final = re.compile(r"call bpf_(?:snprintf|seq_printf|trace_vprintk|strncmp)\b")
_LOCK: Final = re.compile(
    r"call (bpf_(?:res_)?spin_lock\w*|bpf_rcu_read_lock|bpf_preempt_disable|bpf_local_irq_save)\b"
)
_INDEX: Final = frozenset(
    {
        "verifier-index-out-of-bounds",
        "verifier-index-unbounded",
        "verifier-index-negative",
        "verifier-stack-variable-offset",
    }
)
_STACK_BYTES: Final = 512
_MAPS: Final = 64  # MAX_USED_MAPS, include/linux/bpf_verifier.h (Linux 7.3)
# data, data_end and data_meta of struct xdp_md and struct __sk_buff (include/uapi/linux/bpf.h).
_PACKET_FIELDS: Final = frozenset({0, 4, 8, 76, 80, 140})


def look_again(match: Match, lines: Sequence[str], way: Way) -> Match:
    """Give the rule that fits better with the way known, else the one that was recognised."""
    if match.code in _INDEX:
        return _index(match, lines, way)
    if match.fields.get("expected") == "map_value" and _FORMATS.match(way.text):
        return match._replace(rule=FORMAT)
    if _SCALARS.match(match.line) or match.code == "verifier-argument-type":
        return _was_a_pointer(match, way)
    look = _BY_CODE.get(match.code)
    return look(match, way) if look else match


def without_words(number: int, code: ProgramCode) -> Match | None:
    """What errno and code tell where the verifier says nothing (Linux 5.10, too many maps)."""
    count = len({name for _, name in code.maps})
    if number != errno.E2BIG or count <= _MAPS:
        return None
    return Match(TOO_MANY_MAPS, "", {"count": count})


def _index(match: Match, lines: Sequence[str], way: Way) -> Match:
    """An index, or a constant that does not fit; the sizes are in the line before."""
    indexed = way.follow_index()
    if match.code != "verifier-index-out-of-bounds":
        return match
    if not indexed:
        return recognise(lines[:1]) or match
    return match._replace(rule=OUT_OF_BOUNDS) if "whole" in match.fields else match


def _was_a_pointer(match: Match, way: Way) -> Match:
    """What is a number now was something else before a call on the way, or is NULL."""
    state = dict(way.registers).get(f"R{match.register}", "")
    told = _SCALARS.match(match.line)
    if way.trace is None or not (told or _NUMBER.match(state)):
        return match
    effect = way.trace.effect
    made = effect.does if effect else None
    is_zero = _ZERO.match(state) or (effect and made is Does.CONSTANT and effect.offset == 0)
    if is_zero:
        return match._replace(rule=IS_NULL) if told else match
    if made is Does.CALL and _TASK.match(way.steps[way.trace.at or 0].text):
        return match._replace(rule=CURRENT_TASK._replace(code=match.code))
    if made is Does.CALL:
        return _after_call(match, way, _RELEASE, RELEASED)
    return _after_call(match, way, _MOVES, MOVED) if _was_packet(way) else match


def _was_packet(way: Way) -> bool:
    """Whether the value was read as a packet pointer: out of the context, at the offset of one."""
    found = way.trace
    if found is None or found.at is None or not found.effect or found.effect.does is not Does.LOAD:
        return False
    after = way.steps[found.at + 1].before.get(f"R{found.register}")
    if after is not None:
        return after.startswith("pkt")
    base = trace(way.steps, way.code.insns, found.at, found.effect.source)
    return base.at is None and base.register == 1 and found.effect.offset in _PACKET_FIELDS


def _after_call(match: Match, way: Way, pattern: re.Pattern[str], rule: Rule) -> Match:
    """The rule, if a call of that name came between the origin of the value and its use."""
    start = way.trace.at if way.trace and way.trace.at is not None else -1
    for at in range(len(way.steps) - 2, start, -1):
        step = way.steps[at]
        found = pattern.match(step.text) if step.opcode == _CALL else None
        if found and (rule is MOVED or way.passes(at)):
            if rule is MOVED:
                way.blame(at, f"{found[1]}() may move the packet")
            return match._replace(rule=rule, fields={**match.fields, **_call(way, at, found[1])})
    return match


def _call(way: Way, at: int, name: str) -> dict[str, str]:
    source = way.code.source(way.steps[at].insn)
    return {"name": name, "where": f" at {source.file}:{source.line}" if source else ""}


def _recursion(match: Match, way: Way) -> Match:
    """Name the function that is in the chain of calls twice."""
    chain: dict[int, str] = {}
    for step in way.steps:
        chain[step.frame] = way.code.function(step.insn)
    depth = way.steps[-1].frame if way.steps else 0
    names = Counter(name for frame, name in chain.items() if frame <= depth and name)
    for name, times in names.most_common(1):
        if times > 1:
            return match._replace(rule=RECURSION, fields={**match.fields, "name": name})
    return match


def _back_edge(match: Match, way: Way) -> Match:
    """A call of a function that has not returned is a loop to old kernels."""
    at = match.fields["insn"]
    try:
        call = unpack(way.code.insns, at).is_subprogram_call
    except IndexError:
        return match
    name = way.code.function(at)
    return match._replace(rule=RECURSION, fields={**match.fields, "name": name}) if call else match


def _stack(match: Match, way: Way) -> Match:
    """Inside of the stack something was never written, or a buffer ends before."""
    del way
    off, size = match.fields.get("off", 0), match.fields.get("size", 0)
    if not -_STACK_BYTES <= off < 0:
        return match
    if off + size <= 0:
        return match._replace(rule=UNWRITTEN)
    return match._replace(rule=BEYOND_BUFFER, fields={**match.fields, "left": -off})


def _leak(match: Match, way: Way) -> Match:
    """Say what was acquired, and how that is given back."""
    found = _CALLED.match(way.steps[way.made].text) if way.made is not None else None
    if way.made is None or found is None:
        return match
    release = next((words for name, words in RELEASES if name in found[1]), "release it")
    fields = {**match.fields, **_call(way, way.made, found[1]), "release": release}
    return match._replace(rule=LEAKED, fields=fields)


def _return_value(match: Match, way: Way) -> Match:
    """Put the kernel's ranges into words."""
    del way
    returned = values(str(match.fields.get("has", "")))
    allowed = values(str(match.fields.get("wanted", "")))
    if not returned or not allowed:
        return match
    return match._replace(
        rule=RETURNED, fields={**match.fields, "returned": returned, "allowed": allowed}
    )


def _lock(match: Match, way: Way) -> Match:
    """Say where the lock was taken, and what was done before it was released."""
    kind = next((one for one in ("rcu", "preempt", "irq", "spin") if one in match.line), "")
    for at in range(len(way.steps) - 2, -1, -1):
        found = _LOCK.match(way.steps[at].text)
        if found and kind in found[1]:
            way.blame(at, f"{found[1]}() begins the region")
            return _in_region(match, way, _call(way, at, found[1]))
    return match


def _in_region(match: Match, way: Way, region: dict[str, str]) -> Match:
    called = _CALLED.match(way.text)
    if match.code != "verifier-lock-held":
        return match
    if way.steps[-1].opcode == _EXIT:
        return match._replace(rule=REGION_LEFT, fields=match.fields | region)
    if called is None or called[1] == "pc":
        return match
    return match._replace(rule=REGION_CALL, fields=match.fields | region | {"callee": called[1]})


def _context(match: Match, way: Way) -> Match:
    """Whether it may not be read or not be written; of a helper nobody knows."""
    if "func" in match.fields:  # an argument of what the program is attached to
        return match
    verb = next((word for word in ("read", "write") if f"-byte {word}" in way.access), None)
    if verb is None or "size" not in match.fields or "off" not in match.fields:
        return match
    return match._replace(rule=CONTEXT, fields={**match.fields, "verb": verb})


def _unset(match: Match, way: Way) -> Match:
    """The return value, or an argument of a call."""
    opcode = way.steps[-1].opcode if way.steps else ""
    if opcode == _EXIT and match.register == 0:
        return match._replace(rule=NO_RESULT)
    return match._replace(rule=NO_ARGUMENT) if opcode == _CALL else match


def _read_twice(match: Match, way: Way) -> Match:
    """A pointer that was tested, and then read from memory once more: that one may be NULL."""
    twin = way.tested_twin if match.register is not None else None
    if twin is None:
        return match
    return match._replace(rule=READ_TWICE, fields={**match.fields, "twin": twin})


_BY_CODE: Final[dict[str, Callable[[Match, Way], Match]]] = {
    "verifier-null-check-missing": _read_twice,
    "verifier-call-depth": _recursion,
    "verifier-back-edge": _back_edge,
    "verifier-stack-bounds": _stack,
    "verifier-return-value": _return_value,
    "verifier-reference-leak": _leak,
    "verifier-context-access": _context,
    "verifier-register-uninitialized": _unset,
    "verifier-lock-held": _lock,
    "verifier-lock-misuse": _lock,
    "verifier-sleep-in-atomic": _lock,
}
