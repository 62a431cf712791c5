"""Which checks look at which failures, in the order in which they are asked.

A check is `check(failure: Failure) -> Explanation | None`, named "module:function" below
`bpfctl.explain` and imported when it is its turn. The first that confirms a cause ends the search.
Those that are cheap and certain come first; those that make calls of their own come last.
"""

from __future__ import annotations

from typing import Final

# By what was refused: the command of bpf(2) as <linux/bpf.h> calls it, another system call
# ("perf_event_open", "mount"), or "netlink".
BY_CALL: Final[dict[str, tuple[str, ...]]] = {
    "BPF_PROG_LOAD": (
        "rights:for_load",
        "trampoline:refused",
    ),
    "BPF_MAP_CREATE": ("rights:for_load",),
    "BPF_BTF_LOAD": ("rights:for_load",),
}

# After those, whatever was refused.
ALWAYS: Final[tuple[str, ...]] = ("rights:for_call",)
