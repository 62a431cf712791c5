"""Functions of the kernel that a program for fentry, fexit or fmod_ret is refused for at load.

Sources: bpf_check_attach_target() and check_attach_btf_id(), kernel/bpf/verifier.c, with the lists
btf_id_deny (Linux 5.13) and noreturn_deny (6.15, and stable updates of older ones);
btf_distill_func_proto(), kernel/bpf/btf.c.
"""

from __future__ import annotations

import errno
import re

from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import VerifierError
from bpfctl.explain.explanation import Explanation
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.verifier_log import objections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.failure import Failure

_NEVER_RETURNS: Final = re.compile(r"Attaching \S+ to __noreturn function.* is rejected")
_VARIADIC: Final = re.compile(r"The function (\S+) with variable args is unsupported")
_DENIED: Final = re.compile(r"Attaching tracing programs to function '(\S+)' is rejected")
# The trampoline itself calls these, so that a program on them would never end.
_DENY_LIST: Final = frozenset(
    {
        "migrate_disable", "migrate_enable", "rcu_read_unlock_strict", "preempt_count_add",
        "preempt_count_sub", "__rcu_read_lock", "__rcu_read_unlock",
    }
)  # fmt: skip
_EVERY: Final = ""  # the wish for all programs that have none of their own


def unfit(failure: Failure) -> Explanation | None:
    """Put what the kernel says of the function into words; it does not say why it denies some."""
    name = _target(failure)
    if failure.errno != errno.EINVAL or name is None:
        return None
    assert isinstance(failure.error, VerifierError)
    said = objections(failure.error.log)
    quoted = tuple(f"the kernel says: {line}" for line in said[:1])
    if any(_NEVER_RETURNS.match(line) for line in said):
        return Explanation(
            "function-never-returns",
            f"{name} never returns, so that fexit and fmod_ret on it would never run",
            quoted,
            f'use SEC("fentry/{name}")',
        )
    if any(_VARIADIC.match(line) for line in said):
        return Explanation(
            "function-variadic",
            f"{name} takes any number of arguments, which fentry and fexit cannot pass on",
            quoted,
            "trace a function that calls it, or one that it calls",
        )
    if any(_DENIED.match(line) for line in said) or (not said and name in _DENY_LIST):
        return Explanation(
            "function-denied",
            f"the kernel lets no program trace {name}, which it calls itself to run one",
            (*quoted, f"{name} is in the kernel's list of such functions (btf_id_deny)"),
            "trace a function that calls it",
        )
    return None


def _target(failure: Failure) -> str | None:
    """The function that a program for tracing was to be loaded for."""
    program, options = failure.program, failure.fact(LoadOptions)
    if program is None or program.section.kind is not AttachKind.TRACING:
        return None
    wishes = options.targets if options else {}
    wish = wishes.get(program.name) or wishes.get(_EVERY)
    if wish and wish.program:
        return None
    name = wish.function if wish else program.section.target
    return name.rpartition(":")[2] if name else None
