"""Which checks look at which failures, in the order in which they are asked.

A check is `check(failure: Failure) -> Explanation | None`, named "module:function" below
`bpfctl.explain` and imported when it is its turn. The first that confirms a cause ends the search.
Those that are cheap and certain come first; those that make calls of their own come last.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# By what was refused: the command of bpf(2) as <linux/bpf.h> calls it, another system call
# ("perf_event_open", "mount"), or "netlink".
BY_CALL: Final[dict[str, tuple[str, ...]]] = {
    "BPF_PROG_LOAD": (
        "rights:for_load",
        "trampoline:refused",
        "locked_memory:exhausted",
        "program_length:too_long",
        "unknown:program_type",
        "unknown:attach_type",
        "program_flags:unknown_flag",
    ),
    "BPF_MAP_CREATE": (
        "rights:for_load",
        "locked_memory:exhausted",
        "unknown:map_type",
        "unknown:struct_ops_link",
        "unknown:field",
        "maps:refused",
    ),
    "BPF_BTF_LOAD": ("rights:for_load", "locked_memory:exhausted"),
    "BPF_RAW_TRACEPOINT_OPEN": ("functions:not_traceable", "taken:already"),
    "BPF_LINK_CREATE": (
        "xdp:refused",
        "unknown:attach_type",
        "functions:not_traceable",
        "taken:already",
    ),
    "BPF_PROG_ATTACH": (
        "unknown:attach_type",
        "cgroup_flags:exclusive",
        "net_places:held_by_link",
        "taken:already",
    ),
    "BPF_PROG_DETACH": ("unknown:attach_type", "net_places:held_by_link"),
    "BPF_PROG_QUERY": ("unknown:attach_type",),
    "PERF_EVENT_IOC_SET_BPF": ("taken:already",),
    "netlink": ("xdp:refused", "net_places:filter_refused"),
}

# What the verifier's log alone does not tell; where none of these knows, the log is read.
BY_LOG: Final[tuple[str, ...]] = (
    "functions:without_code",
    "target_log:unfit",
    "compiler:types_missing",
    "replaced:prototypes",
    "unknown:attach_type",
)

# After those, whatever was refused.
ALWAYS: Final[tuple[str, ...]] = (
    "descriptors:exhausted",
    "rights:for_call",
    "gatekeepers:seccomp",
    "gatekeepers:security_module",
    "unknown:command",
    "unknown:field",
    "gatekeepers:surroundings",
)
