"""Functions of the kernel that take no program, though the kernel's types have them."""

from __future__ import annotations

import errno
import re

from bpfctl.errors import BpfctlError, VerifierError
from bpfctl.explain.explanation import Explanation, Outcome
from bpfctl.linux.function_facts import KALLSYMS, function_facts
from bpfctl.objects.attach_targets import Loaded
from bpfctl.objects.function_causes import absent, untraceable
from bpfctl.objects.prog import ProgInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.explain.failure import Failure

NOT_TRACEABLE: Final = "function-not-traceable"
RENAMED: Final = "function-renamed"
WITHOUT_CODE: Final = "function-without-code"
# A trampoline that cannot patch a function's first bytes: EBUSY, before Linux 6.0 EINVAL
# (register_fentry, kernel/bpf/trampoline.c; __bpf_arch_text_poke, arch/x86/net/bpf_jit_comp.c).
_UNPATCHED: Final = frozenset({errno.EBUSY, errno.EINVAL, errno.EOPNOTSUPP})
_NO_ADDRESS: Final = re.compile(r"The address of function (\S+) cannot be found")


def not_traceable(failure: Failure) -> Explanation | None:
    """Confirm that ftrace does not list the function of a program for fentry, fexit, fmod_ret."""
    if failure.errno not in _UNPATCHED or failure.fact(Loaded) is None:
        return None
    name = _function(failure)
    cause = untraceable(function_facts(name)) if name else None
    if cause is None:
        return None
    return Explanation(NOT_TRACEABLE, cause.headline, cause.evidence, cause.remedy, Outcome.LACKING)


def without_code(failure: Failure) -> Explanation | None:
    """Confirm that the kernel's types have a function that its symbols do not have."""
    log = failure.error.log if isinstance(failure.error, VerifierError) else ""
    named = _NO_ADDRESS.search(log)
    if named is None:
        return None
    facts = function_facts(named[1])
    cause = absent(facts)
    if cause is None:
        return None
    if cause.code == RENAMED:
        return Explanation(RENAMED, cause.headline, cause.evidence, cause.remedy, Outcome.ABSENT)
    return Explanation(
        WITHOUT_CODE,
        f"{facts.name} has no code of its own in this kernel",
        (
            f"the kernel's types have {facts.name}, and {KALLSYMS} has no such symbol",
            "so all its callers contain a copy (it was inlined), or nothing calls it",
        ),
        "trace a function that calls it",
        Outcome.ABSENT,
    )


def _function(failure: Failure) -> str | None:
    """The function that a program was loaded for, where the kernel tells it (Linux 6.0)."""
    info = failure.fact(ProgInfo)
    if info is None or not info.attach_btf_obj_id or not info.attach_btf_id:
        return None
    return _named(info.attach_btf_obj_id, info.attach_btf_id)


def _named(btf_id: int, type_id: int) -> str | None:
    """The name of a type of the kernel or of a module; None for one of a program."""
    from bpfctl.kernel.info import btf_info
    from bpfctl.objects.btf import loaded_btf
    from bpfctl.objects.ids import ObjectKind, open_id

    try:
        with open_id(ObjectKind.BTF, btf_id) as fd:
            is_kernel = bool(btf_info(fd)[1])  # those of programs have no name
        return loaded_btf(btf_id).name(type_id) if is_kernel else None
    except BpfctlError:
        return None
