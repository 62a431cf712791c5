"""The words of `net attach` and `net detach`: bpftool's grammar, and more."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from bpfctl.objects.net_attach import NetPlace
    from bpfctl.objects.select import Selector

ATTACH_FORM: Final = "ATTACH_TYPE PROG dev NAME [PLACE]"
DETACH_FORM: Final = "ATTACH_TYPE [PROG] dev NAME [priority N] [handle N]"
TYPES: Final = (
    "xdp, xdpgeneric, xdpdrv, xdpoffload, tcx_ingress, tcx_egress, tc_ingress, tc_egress,"
    " netkit_primary, netkit_peer"
)
PLACES: Final = (
    "PLACE: overwrite or replace PROG; for tcx and netkit prepend (or first), last, before or after"
    " link|prog ID, revision N; for tc priority N, handle N."
)
PLACE_WORDS: Final = (
    "overwrite replace prepend first last before after link prog revision priority handle"
)
_XDP: Final = {"xdp": None, "xdpgeneric": "generic", "xdpdrv": "driver", "xdpoffload": "offload"}
_SIDED: Final = ("tcx", "tc", "netkit")  # "tc ingress" is "tc_ingress"
_PRIORITIES: Final = 1 << 16
_HANDLES: Final = 1 << 32


@plain
class AttachWords:
    """What to attach where. `instead` is the program to replace."""

    target: NetPlace
    prog: Selector | None
    overwrite: bool = False
    instead: Selector | None = None


def parse_device(words: Sequence[str]) -> str | None:
    """Read `[dev NAME]`. Raises: UsageError."""
    match list(words):
        case []:
            return None
        case ["dev", name] if name:
            return name
    raise UsageError("expected [dev NAME]")


def parse_attach(words: Sequence[str]) -> AttachWords:
    """Read what follows `net attach`. Raises: UsageError."""
    from bpfctl.objects.ids import ObjectKind

    from .selectors import take_selector

    kind, rest = _kind(words, ATTACH_FORM)
    prog, rest = take_selector(rest, ObjectKind.PROG)
    device, rest = _device(rest, ATTACH_FORM)
    overwrite, instead = False, None
    if rest[:1] == ["overwrite"]:
        overwrite, rest = True, rest[1:]
    elif rest[:1] == ["replace"]:
        instead, rest = take_selector(rest[1:], ObjectKind.PROG)
    return AttachWords(_target(kind, device, rest, ATTACH_FORM), prog, overwrite, instead)


def parse_detach(words: Sequence[str]) -> AttachWords:
    """Read what follows `net detach`. Raises: UsageError."""
    from bpfctl.objects.ids import ObjectKind

    from .selectors import take_selector

    kind, rest = _kind(words, DETACH_FORM)
    prog = None
    if rest[:1] != ["dev"]:
        prog, rest = take_selector(rest, ObjectKind.PROG)
    device, rest = _device(rest, DETACH_FORM)
    if not kind.startswith("tc_") and rest:
        raise UsageError(f'"{rest[0]}" is not expected there: {DETACH_FORM}')
    return AttachWords(_target(kind, device, rest, DETACH_FORM), prog)


def _kind(words: Sequence[str], form: str) -> tuple[str, list[str]]:
    """Take the type, which may be two words."""
    if not words:
        raise UsageError(f"expected {form}", remedy=f"ATTACH_TYPE: {TYPES}")
    first, *rest = words
    if first in _SIDED and rest:
        first, rest = f"{first}_{rest[0]}", rest[1:]
    if first in TYPES.split(", "):
        return first, rest
    from .suggest import nearest

    near = nearest(first, TYPES.split(", "))
    raise UsageError(
        f'"{first}" is no type of attachment to an interface',
        remedy=f'did you mean "{near}"?' if near else f"one of {TYPES}",
    )


def _device(words: Sequence[str], form: str) -> tuple[str, list[str]]:
    if len(words) < 2 or words[0] != "dev" or not words[1]:
        raise UsageError(f"expected {form}")
    return words[1], list(words[2:])


def _target(kind: str, device: str, rest: list[str], form: str) -> NetPlace:
    return _TARGETS[kind](kind, device, rest, form)


def _xdp(kind: str, device: str, rest: list[str], form: str) -> NetPlace:
    from bpfctl.objects.attach_targets import Xdp

    _end(rest, form)
    return Xdp(device, _XDP[kind])


def _tcx(kind: str, device: str, rest: list[str], form: str) -> NetPlace:
    from bpfctl.kernel.uapi import AttachType
    from bpfctl.objects.attach_targets import Tcx

    return Tcx(device, AttachType[kind.upper()], _order(rest, form))


def _netkit(kind: str, device: str, rest: list[str], form: str) -> NetPlace:
    from bpfctl.kernel.uapi import AttachType
    from bpfctl.objects.attach_net_targets import Netkit

    return Netkit(device, AttachType[kind.upper()], _order(rest, form))


def _order(rest: list[str], form: str) -> Any:
    from bpfctl.objects.attach_net_targets import LAST

    from .link_net_words import parse_order

    del form
    return parse_order(["first" if word == "prepend" else word for word in rest]) if rest else LAST


def _filter(kind: str, device: str, rest: list[str], form: str) -> NetPlace:
    from bpfctl.kernel.uapi import AttachType
    from bpfctl.objects.attach_net_targets import Filter

    from .link_values import pairs

    side = AttachType.TCX_INGRESS if kind == "tc_ingress" else AttachType.TCX_EGRESS
    return Filter(device, side, **pairs(rest, {"priority": _PRIORITIES, "handle": _HANDLES}, form))


def _end(rest: list[str], form: str) -> None:
    if rest:
        raise UsageError(f'"{rest[0]}" is not expected there: {form}')


_TARGETS: Final[dict[str, Callable[[str, str, list[str], str], NetPlace]]] = {
    **dict.fromkeys(_XDP, _xdp),
    **dict.fromkeys(("tcx_ingress", "tcx_egress"), _tcx),
    **dict.fromkeys(("netkit_primary", "netkit_peer"), _netkit),
    **dict.fromkeys(("tc_ingress", "tc_egress"), _filter),
}
