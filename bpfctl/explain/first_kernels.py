"""The first kernels that have a part of bpf(2) that older ones we support do not have.

Source: include/uapi/linux/bpf.h of mainline from Linux 5.10 to 7.3; the types of each kernel of
the test matrix agree with it (tests/kernel/test_explain_unknown.py).
"""

from __future__ import annotations

from functools import cache

from bpfctl.kernel.uapi import AttachType, Cmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

COMMANDS: Final[dict[int, str]] = {
    Cmd.TOKEN_CREATE: "6.9",
    Cmd.PROG_STREAM_READ_BY_FD: "6.17",
    Cmd.PROG_ASSOC_STRUCT_OPS: "6.19",
}

# Fields of union bpf_attr, or structs in it with all that they have.
FIELDS: Final[dict[str, str]] = {
    "attach_btf_obj_fd": "5.11",
    "fd_array": "5.14",
    "link_create.perf_event": "5.15",
    "map_extra": "5.16",
    "link_create.kprobe_multi": "5.18",
    "link_create.tracing": "5.19",
    "query.prog_attach_flags": "6.0",
    "link_create.netfilter": "6.4",
    "log_true_size": "6.4",
    "path_fd": "6.5",
    "expected_revision": "6.6",
    "link_create.tcx": "6.6",
    "link_create.uprobe_multi": "6.6",
    "query.link_ids": "6.6",
    "query.revision": "6.6",
    "relative_fd": "6.6",
    "link_create.netkit": "6.7",
    "value_type_btf_obj_fd": "6.9",
    "raw_tracepoint.cookie": "6.10",
    "fd_array_cnt": "6.14",
    "link_create.cgroup": "6.17",
    "excl_prog_hash": "6.18",
    "excl_prog_hash_size": "6.18",
    "signature": "6.18",
    "signature_size": "6.18",
    "link_create.tracing_multi": "7.2",
}
# Attach types that no section names, being those of links, or that are younger than their section.
_OTHER_ATTACH_TYPES: Final[dict[int, str]] = {
    AttachType.XDP: "5.9",
    AttachType.SK_REUSEPORT_SELECT: "5.14",
    AttachType.PERF_EVENT: "5.15",
    AttachType.STRUCT_OPS: "6.4",
    AttachType.NETKIT_PRIMARY: "6.7",
    AttachType.NETKIT_PEER: "6.7",
}


def of_field(path: str) -> str | None:
    """Return the first kernel with a field of union bpf_attr, if the oldest lack it."""
    while path not in FIELDS and "." in path:
        path = path.rpartition(".")[0]
    return FIELDS.get(path)


@cache
def attach_types() -> dict[int, str]:
    """Return the first kernels by attach type: those of the sections that stand for them."""
    from bpfctl.elf.sections import definitions

    found = dict(_OTHER_ATTACH_TYPES)
    for row in definitions():
        if row.attach_type is not None and not row.modern:
            found.setdefault(int(row.attach_type), row.since)
    return found
