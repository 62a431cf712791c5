"""E2BIG for a program with more instructions than the kernel looks at."""

from __future__ import annotations

import errno

from bpfctl.explain.explanation import Explanation
from bpfctl.linux.caps import Capability, has_capability

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.failure import Failure

# bpf_prog_load(), kernel/bpf/syscall.c, Linux 5.2 to 7.3: BPF_COMPLEXITY_LIMIT_INSNS for those with
# CAP_BPF, BPF_MAXINSNS for all others.
_MOST: Final = 1_000_000
_MOST_UNPRIVILEGED: Final = 4096


def too_long(failure: Failure) -> Explanation | None:
    """Compare the program's length with the limit that holds for this process."""
    if failure.errno != errno.E2BIG:
        return None
    count = failure.field("insn_cnt")
    most = _MOST_UNPRIVILEGED if has_capability(Capability.BPF) is False else _MOST
    if count <= most:
        return None
    rights = "" if most == _MOST else " for a process without CAP_BPF"
    return Explanation(
        "program-too-long",
        f"it has {count} instructions, and the kernel takes {most}{rights}",
        (f"{count - most} too many; subprograms count too",),
        "split it into several programs (bpf_tail_call), or have loops not unrolled",
    )
