"""Flags of BPF_PROG_ATTACH that exclude each other on cgroups."""

from __future__ import annotations

import errno

from bpfctl.explain.explanation import Explanation, Outcome
from bpfctl.kernel.flags import AttachFlags
from bpfctl.kernel.names import known, label
from bpfctl.kernel.uapi import AttachType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.failure import Failure

_OVERRIDE: Final = AttachFlags.ALLOW_OVERRIDE
_MULTI: Final = AttachFlags.ALLOW_MULTI
_REPLACE: Final = AttachFlags.REPLACE
_NAMES: Final = {_OVERRIDE: "override", _MULTI: "multi", _REPLACE: "replace",
                 AttachFlags.BEFORE: "before", AttachFlags.AFTER: "after"}  # fmt: skip


def exclusive(failure: Failure) -> Explanation | None:
    """Apply the rules of __cgroup_bpf_attach (kernel/bpf/cgroup.c, Linux 5.6 to 6.18)."""
    attach_type = known(AttachType, failure.field("attach_type"))
    name = str(label(AttachType, attach_type))
    if failure.errno != errno.EINVAL or not name.startswith("cgroup_"):
        return None
    flags = AttachFlags(failure.field("attach_flags"))
    rule = _broken(flags, failure.field("replace_bpf_fd"))
    if rule is None:
        return None
    given = ", ".join(word for flag, word in _NAMES.items() if flag & flags) or "none"
    return Explanation(
        "cgroup-flags-exclude",
        f"the flags of this attachment exclude each other: {rule}",
        (f"flags given: {given} ({int(flags):#x})",),
        "attach with multi alone, or as a link, which needs no flags",
        Outcome.WRONG,
    )


def _broken(flags: AttachFlags, replaced: int) -> str | None:
    if flags & _OVERRIDE and flags & _MULTI:
        return "override and multi"
    if flags & _REPLACE and not flags & _MULTI:
        return "replace goes with multi only"
    if flags & _REPLACE and flags & (AttachFlags.BEFORE | AttachFlags.AFTER):
        return "replace, and before or after"
    if bool(replaced) != bool(flags & _REPLACE):
        return "replace and the program to replace go together"
    return None
