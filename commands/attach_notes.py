"""Warnings about what was attached and will not run: never, or not yet."""

from __future__ import annotations

from bpfctl.kernel.uapi import ProgType

from .clean import clean
from .output import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpfctl.objects.attach_net_targets import Filter
    from bpfctl.objects.attach_targets import Target


def note_lsm(attached: Iterable[tuple[str, int]]) -> None:
    """Warn on standard error when LSM programs are among those attached, by name and type.

    They attach without a word while "bpf" is no active security module, and never run.
    """
    names = [name for name, kind in attached if kind == ProgType.LSM]
    if not names:
        return
    from bpfctl.explain.why_places import lsm_inactive

    reason = lsm_inactive()
    if reason is None:
        return
    verb = "programs" if len(names) > 1 else "program"
    say(clean(f"bpfctl: warning: {verb} {', '.join(names)} will never run: {reason.headline}"))
    for line in reason.evidence:
        say(clean(f"  evidence   {line}"))
    say(clean(f"  remedy     {reason.remedy}"))
    say(clean(f"  code       {reason.code}        more: bpfctl explain {reason.code}"))


def note_down(target: Target | Filter) -> None:
    """Warn on standard error when a program was attached to an interface that is down."""
    device = getattr(target, "device", None)
    if device is None:
        return
    from bpfctl.linux.netdev import is_up

    if is_up(device) is False:
        say(clean(f"bpfctl: warning: {device} is down: nothing runs there until it is up"))
        say(clean(f"  remedy     ip link set {device} up"))
