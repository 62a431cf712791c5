"""EINVAL for a flag of a program's load that this kernel does not know."""

from __future__ import annotations

import errno

from bpfctl.explain.explanation import Explanation, Outcome
from bpfctl.kernel.flags import ProgFlags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.failure import Failure
    from bpfctl.features.prober import Prober

# Flags that any program of their type may have; they are macros, so that no type information of a
# kernel has them. Source: bpf_prog_load(), kernel/bpf/syscall.c.
_SINCE: Final = {ProgFlags.XDP_HAS_FRAGS: "5.18", ProgFlags.TEST_REG_INVARIANTS: "6.8"}
_REMEDIES: Final = {
    ProgFlags.XDP_HAS_FRAGS: 'use SEC("xdp"), for packets that lie in one buffer, or Linux 5.18',
}


def unknown_flag(failure: Failure) -> Explanation | None:
    """Load the smallest program of that type with each of the flags, and without."""
    flags = failure.field("prog_flags")
    if failure.errno != errno.EINVAL or not flags:
        return None
    from bpfctl.features.prober import Prober

    with Prober() as prober:
        for flag, since in _SINCE.items():
            if flags & flag and _is_refused(failure, prober, flag):
                return _lacking(flag, since)
    return None


def _is_refused(failure: Failure, prober: Prober, flag: ProgFlags) -> bool:
    """Whether the kernel does not even look at a program with the flag, and does without it."""
    without, log = _load(failure, prober, 0)
    looks = without == 0 or bool(log)
    return looks and _load(failure, prober, flag) == (errno.EINVAL, "")


def _load(failure: Failure, prober: Prober, flags: int) -> tuple[int, str]:
    from bpfctl.kernel.names import known
    from bpfctl.kernel.uapi import AttachType, ProgType

    kind = known(ProgType, failure.field("prog_type"))
    place = known(AttachType, failure.field("expected_attach_type"))
    if not isinstance(kind, ProgType) or not isinstance(place, AttachType):
        return errno.EINVAL, ""
    return prober.load(kind, attach_type=place, flags=flags)


def _lacking(flag: ProgFlags, since: str) -> Explanation:
    name = f"BPF_F_{flag.name}"
    return Explanation(
        "program-flag-unknown",
        f"the flag {name} of programs",
        ("the smallest program of that type loads without it, and is refused with it",),
        _REMEDIES.get(flag, f"use Linux {since} or later"),
        Outcome.LACKING,
        since,
    )
