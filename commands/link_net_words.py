"""The words after `link create PROG` for cgroups, interfaces and other places of the network."""

from __future__ import annotations

from pathlib import Path

from bpfctl.errors import UsageError
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach_words import cgroup_attach_type, cgroup_attach_words

from .link_forms import FORMS
from .link_values import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack
    from typing import Any

    Parser = Callable[[list[str], ExitStack], targets.Target]

XDP_MODES = {
    "generic": "generic",
    "xdpgeneric": "generic",
    "skb": "generic",
    "driver": "driver",
    "xdpdrv": "driver",
    "drv": "driver",
    "offload": "offload",
    "xdpoffload": "offload",
    "hw": "offload",
}


def _cgroup(words: list[str], stack: ExitStack) -> targets.Target:
    del stack
    if len(words) < 2:
        known = ", ".join(cgroup_attach_words())
        raise UsageError(f"expected {FORMS['cgroup']}", remedy=f"ATTACH_TYPE: {known}")
    path, word, *rest = words
    found = cgroup_attach_type(word)
    if found is None:
        raise UsageError(
            f'"{word}" is nothing that a cgroup runs programs on',
            remedy=f"one of {', '.join(cgroup_attach_words())}",
        )
    return targets.Cgroup(path, AttachType(found), parse_order(rest, "cgroup"))


def _xdp(words: list[str], stack: ExitStack) -> targets.Target:
    """Read `dev NAME [MODE]`, or bpftool's `xdpgeneric dev NAME`."""
    del stack
    mode = XDP_MODES[words.pop(0)] if words and words[0] in XDP_MODES else None
    if len(words) < 2 or words[0] != "dev":
        raise UsageError(f"expected {FORMS['xdp']}")
    _, device, *rest = words
    if rest and rest[0] in XDP_MODES and mode is None:
        mode = XDP_MODES[rest.pop(0)]
    if rest:
        raise UsageError(f'"{rest[0]}" is no mode of XDP: expected {FORMS["xdp"]}')
    return targets.Xdp(device, mode)


def _on_device(
    form: str, sides: Mapping[str, AttachType], make: Callable[..., targets.Target]
) -> Parser:
    """Read `SIDE dev NAME [ORDER]`."""

    def parse(words: list[str], stack: ExitStack) -> targets.Target:
        del stack
        if len(words) < 3 or words[0] not in sides or words[1] != "dev":
            raise UsageError(f"expected {FORMS[form]}")
        return make(words[2], sides[words[0]], parse_order(words[3:], form))

    return parse


def parse_order(words: list[str], form: str = "tcx") -> net.Order:
    """Read where among the programs: first, last, or before or after a certain one.

    Raises: UsageError.
    """
    found: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        follows = rest[:1]
        if word in ("first", "last") and "place" not in found:
            found["place"] = "before" if word == "first" else "after"
        elif word in ("before", "after") and "place" not in found and follows in _NEIGHBOURS:
            found |= {"place": word, "neighbour": rest.pop(0)}
            rest = rest[1:] if rest[:1] == ["id"] else rest
            found["neighbour_id"] = number(rest.pop(0) if rest else "", "id", 1 << 32, least=1)
        elif word == "revision" and follows and "revision" not in found:
            found["revision"] = number(rest.pop(0), "revision", least=1)
        elif word == "preorder" and form == "cgroup":
            found["preorder"] = True
        else:
            raise UsageError(f'"{word}" is not expected there: {FORMS[form]}')
    return net.Order(**found)


_NEIGHBOURS = (["link"], ["prog"])


def _side(parser: Parser, side: str) -> Parser:
    """Read what follows a word that names the side, as bpftool has it ("tcx_ingress")."""
    return lambda words, stack: parser([side, *words], stack)


def _netns(words: list[str], stack: ExitStack) -> targets.Target:
    """Read what runs the program, and the namespace: ours, one that ip(8) named, or a file."""
    del stack
    if not 1 <= len(words) <= 2 or words[0] not in _NETNS_TYPES:
        raise UsageError(f"expected {FORMS['netns']}")
    word, *where = words
    if not where:
        return net.Netns(_NETNS_TYPES[word])
    path = where[0] if "/" in where[0] else str(Path(net.NAMED_NETNS, where[0]))
    return net.Netns(_NETNS_TYPES[word], path)


def _netfilter(words: list[str], stack: ExitStack) -> targets.Target:
    del stack
    match words:
        case [family, hook, *rest] if family in net.FAMILIES and hook in net.HOOKS:
            defrag = "defrag" in rest
            rest = [word for word in rest if word != "defrag"]
        case _:
            raise UsageError(
                f"expected {FORMS['netfilter']}", remedy=f"HOOK: {', '.join(net.HOOKS)}"
            )
    if not rest:
        return net.Netfilter(family, hook, 0, defrag)
    if len(rest) != 2 or rest[0] != "priority":
        raise UsageError(f"expected {FORMS['netfilter']}")
    return net.Netfilter(family, hook, _priority(rest[1]), defrag)


def _priority(text: str) -> int:
    """Read a priority; the kernel keeps the lowest and the highest of 32 bits for itself.

    Source: bpf_nf_check_pf_and_hooks, net/netfilter/nf_bpf_link.c, Linux 6.4.
    """
    sign, digits = -1 if text.startswith("-") else 1, text.removeprefix("-")
    try:
        return sign * number(digits, "priority", _PRIORITY_LIMIT + (sign < 0))
    except UsageError:
        allowed = f"from {-_PRIORITY_LIMIT} to {_PRIORITY_LIMIT - 1}"
        raise UsageError(f'"{text}" is no priority: expected a number {allowed}') from None


def _sockmap(words: list[str], stack: ExitStack) -> targets.Target:
    from bpfctl.objects.ids import ObjectKind

    from .chosen import open_one
    from .selectors import take_selector

    selector, rest = take_selector(words, ObjectKind.MAP)
    if len(rest) != 1 or rest[0] not in _SOCKMAP_TYPES:
        raise UsageError(f"expected {FORMS['sockmap']}")
    sockets = stack.enter_context(open_one(selector))
    return net.Sockmap(sockets.fileno(), _SOCKMAP_TYPES[rest[0]])


_PRIORITY_LIMIT = (1 << 31) - 1
_NETNS_TYPES = {"sk_lookup": AttachType.SK_LOOKUP, "flow_dissector": AttachType.FLOW_DISSECTOR}
_SOCKMAP_TYPES = {
    "msg_verdict": AttachType.SK_MSG_VERDICT,
    "stream_parser": AttachType.SK_SKB_STREAM_PARSER,
    "stream_verdict": AttachType.SK_SKB_STREAM_VERDICT,
    "verdict": AttachType.SK_SKB_VERDICT,
}
_tcx = _on_device(
    "tcx", {"ingress": AttachType.TCX_INGRESS, "egress": AttachType.TCX_EGRESS}, targets.Tcx
)
_netkit = _on_device(
    "netkit", {"primary": AttachType.NETKIT_PRIMARY, "peer": AttachType.NETKIT_PEER}, net.Netkit
)
NET_PARSERS: dict[str, Parser] = {
    "cgroup": _cgroup,
    "xdp": _xdp,
    "xdpgeneric": _xdp,
    "xdpdrv": _xdp,
    "xdpoffload": _xdp,
    "tcx": _tcx,
    "tcx_ingress": _side(_tcx, "ingress"),
    "tcx_egress": _side(_tcx, "egress"),
    "netkit": _netkit,
    "netkit_primary": _side(_netkit, "primary"),
    "netkit_peer": _side(_netkit, "peer"),
    "netns": _netns,
    "netfilter": _netfilter,
    "sockmap": _sockmap,
}
