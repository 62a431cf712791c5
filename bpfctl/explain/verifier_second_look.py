"""What the way to a failure says better than the verifier's words. Pure.

The verifier tells what a register is, not what it was: a pointer that was released, or that a call
made worthless, is "a number" to it, and so is NULL.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from bpfctl.explain.verifier_code import Does
from bpfctl.explain.verifier_messages import Match, recognise
from bpfctl.explain.verifier_rule import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.explain.verifier_path import Way

_CALL: Final = "85"
_SCALARS: Final = re.compile(r"R\d+ (?:invalid mem access '(?:inv|scalar)'|type=(?:inv|scalar) )")
_ZERO: Final = re.compile(r"(?:0|inv0|P0|inv\(id=0,.*umax_value=0[,)].*)$")
_RELEASE: Final = re.compile(r"call (bpf_\w*(?:release|submit|discard|_put|_drop|destroy)\w*)")
# bpf_helper_changes_pkt_data(), net/core/filter.c (Linux 6.12).
_MOVES: Final = re.compile(
    r"call (bpf_(?:xdp_adjust_\w+|skb_(?:vlan_\w+|store_bytes|change_\w+|pull_data|adjust_room|"
    r"cgroup_classid)|l[34]_csum_replace|clone_redirect|lwt_\w+|msg_(?:pull|push|pop)_data|"
    r"store_hdr_opt|reserve_hdr_opt|tcp_raw\w+))"
)
_INDEX: Final = frozenset(
    {
        "verifier-index-out-of-bounds",
        "verifier-index-unbounded",
        "verifier-index-negative",
        "verifier-stack-variable-offset",
    }
)

_IS_NULL: Final = Rule(
    "verifier-null-check-missing",
    "",
    "R{reg} is NULL here",
    "test the pointer before use:  if (!{var}) return 0;  and pass no NULL on to where it is used",
)
_RELEASED: Final = Rule(
    "verifier-reference-missing",
    "",
    "R{reg} was given back by {name}(){where}: nothing may use it any more",
    "use it before the call, and release it once",
)
_MOVED: Final = Rule(
    "verifier-packet-invalidated",
    "",
    "R{reg} pointed into the packet, which {name}(){where} may have moved",
    "read data and data_end from the context again behind that call, and check the bounds again",
)
_RECURSION: Final = Rule(
    "verifier-call-depth",
    "",
    "{name}() calls itself: the verifier follows calls 8 deep, and no recursion",
    "write it as a loop with a constant limit",
)


def look_again(match: Match, lines: Sequence[str], way: Way) -> Match:
    """Give the rule that fits better with the way known, else the one that was recognised."""
    if match.code in _INDEX:
        indexed = way.follow_index()
        constant = match.code == "verifier-index-out-of-bounds" and not indexed
        return (recognise(lines[:1]) or match) if constant else match
    if match.code == "verifier-call-depth":
        return _recursion(match, way)
    if _SCALARS.match(match.line) and way.trace is not None:
        return _was_a_pointer(match, way)
    return match


def _was_a_pointer(match: Match, way: Way) -> Match:
    register = match.register
    if _ZERO.match(dict(way.registers).get(f"R{register}", "")) or _is_zero(way):
        return match._replace(rule=_IS_NULL)
    start = way.trace.at if way.trace and way.trace.at is not None else -1
    calls = [step for step in way.steps[start + 1 : -1] if step.opcode == _CALL]
    made = way.trace.effect.does if way.trace and way.trace.effect else None
    pattern, rule = (_RELEASE, _RELEASED) if made is Does.CALL else (_MOVES, _MOVED)
    for step in reversed(calls):
        found = pattern.match(step.text)
        if found and made in (Does.CALL, Does.LOAD):
            source = way.code.source(step.insn)
            where = f" at {source.file}:{source.line}" if source else ""
            return match._replace(
                rule=rule, fields={**match.fields, "name": found[1], "where": where}
            )
    return match


def _is_zero(way: Way) -> bool:
    effect = way.trace.effect if way.trace else None
    return effect is not None and effect.does is Does.CONSTANT and effect.offset == 0


def _recursion(match: Match, way: Way) -> Match:
    """Name the function that is in the chain of calls twice."""
    chain: dict[int, str] = {}
    for step in way.steps:
        chain[step.frame] = way.code.function(step.insn)
    depth = way.steps[-1].frame if way.steps else 0
    names = Counter(chain[frame] for frame in chain if frame <= depth and chain[frame])
    name, times = names.most_common(1)[0] if names else ("", 0)
    if times < 2:
        return match
    return match._replace(rule=_RECURSION, fields={**match.fields, "name": name})
