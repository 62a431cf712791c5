"""Which targets programs are made for: those that a kernel says it has, spread over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfctl.btf import types as t
from bpfctl.btf.contexts import all_contexts, find_context

if TYPE_CHECKING:
    from bpfctl.btf.contexts import Context
    from bpfctl.btf.decode import Btf

# Some hooks take no programs (bpf_lsm_disabled_hooks, Linux 6.12), so these are named.
HOOKS = (
    *("bpf", "bpf_map", "bpf_prog", "bprm_check_security", "file_mprotect", "file_open"),
    *("file_permission", "inode_create", "inode_getattr", "inode_mkdir", "inode_rename"),
    *("inode_rmdir", "inode_unlink", "kernel_read_file", "mmap_file", "ptrace_access_check"),
    *("sb_mount", "socket_accept", "socket_bind", "socket_connect", "socket_create"),
    *("socket_listen", "socket_sendmsg", "task_alloc", "task_fix_setuid", "task_kill"),
)
# Of functions many are in the types that nobody can attach to: the kernel's own list is looked at
# where programs are loaded, and LOADED of what is left.
MOST = {"tp_btf": 100, "fentry": 200, "fexit": 200}
LOADED = 60
LIVE = (
    "tp_btf/sched_switch",
    "iter/task",
    "fentry/vfs_fallocate",
    "fexit/vfs_fallocate",
    "lsm/file_open",
)
# Programs see fewer arguments of these kfuncs than tracing does (Linux 7.0): they come first.
IMPLICIT = ("bpf_list_push_back", "bpf_obj_new", "bpf_stream_vprintk")
LEAST = {"tp_btf": 50, "lsm": 20, "iter": 5, "fentry": 50, "fexit": 50}


def chosen(btf: Btf) -> dict[str, list[Context]]:
    """Choose contexts by the first word of their sections; of functions those with unique names."""
    found: dict[str, list[Context]] = {}
    counts: dict[str, int] = {}
    for type_id in btf.ids((t.Kind.FUNC,)):
        counts[btf.name(type_id)] = counts.get(btf.name(type_id), 0) + 1
    for context in all_contexts(btf):
        word, _, target = context.section.partition("/")
        if word == "lsm" and target not in HOOKS:
            continue
        if word in ("fentry", "fexit") and counts[target] > 1:
            continue
        if any(_is_struct(btf, member.type_id) for member in context.members):
            continue  # by value: kernels before 6.1 attach to none of these
        found.setdefault(word, []).append(context)
    return {word: _spread(contexts, MOST.get(word)) for word, contexts in found.items()}


def live(btf: Btf) -> list[Context]:
    """The contexts of live.bpf.c."""
    found = (find_context(btf, *section.split("/")) for section in LIVE)
    return [one for one in found if one is not None]


def _is_struct(btf: Btf, type_id: int) -> bool:
    return isinstance(btf.type(btf.skip_modifiers(type_id)), t.Struct)


def _spread(contexts: list[Context], most: int | None) -> list[Context]:
    step = max(1, len(contexts) // most) if most else 1
    first = [one for one in contexts if one.section.partition("/")[2] in IMPLICIT]
    return [*first, *(one for one in contexts[::step] if one not in first)][:most]
