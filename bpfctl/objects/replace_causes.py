"""Why a program does not replace a function of another program (freplace).

Sources: btf_check_func_type_match(), kernel/bpf/btf.c (Linux 5.6), and bpf_trampoline_link_prog(),
kernel/bpf/trampoline.c: a function is replaced once, and not while it is traced.
"""

from __future__ import annotations

from bpfctl.btf.prototypes import mismatch, prototype
from bpfctl.btf.types import Func
from bpfctl.kernel.uapi import LinkType
from bpfctl.objects.link_kinds import Tracing
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf

DIFFERS: Final = "freplace-prototype-differs"
STATIC: Final = "freplace-static-function"
TAKEN: Final = "freplace-function-taken"
_STATIC_LINKAGE: Final = 0  # BTF_FUNC_STATIC


class Cause(NamedTuple):
    """What is the matter with a replacement, for the error that is raised."""

    code: str
    headline: str
    evidence: tuple[str, ...]
    remedy: str


def differing(replaced: tuple[Btf, int], by: tuple[Btf, int]) -> Cause | None:
    """Compare the prototypes of a function and of what is to replace it. Raises: BtfError."""
    for btf, number in (replaced, by):
        func = btf.type(number)
        if isinstance(func, Func) and func.linkage == _STATIC_LINKAGE:
            return _static(func, str(prototype(btf, number)), is_target=btf is replaced[0])
    found = mismatch(replaced, by)
    if found is None:
        return None
    wanted, have = prototype(*replaced), prototype(*by)
    label = "replaced   "
    return Cause(
        DIFFERS,
        f"{have.name} does not have the prototype of {wanted.name}: {found.words}",
        (
            f"{label}{wanted}",
            f"{'by':{len(label)}}{have}",
            " " * (len(label) + found.start) + "^" * max(found.width, 1),
        ),
        f"declare it as: {wanted._replace(name=have.name)}",
    )


def taken(prog_id: int, btf_id: int, function: str) -> Cause | None:
    """Find who replaces or traces a function of a program already. Raises: SyscallError."""
    from bpfctl.objects.link import links

    there = [
        one
        for one in links()
        if one.type == LinkType.TRACING
        and isinstance(one.details, Tracing)
        and (one.details.target_obj_id, one.details.target_btf_id) == (prog_id, btf_id)
    ]
    if not there:
        return None
    return Cause(
        TAKEN,
        f"function {function} of program {prog_id} is replaced or traced already",
        tuple(f"link {one.id} has program {one.prog_id} there" for one in there),
        "a function is replaced once, and not while fentry or fexit is on it: detach that first",
    )


def _static(func: Func, text: str, *, is_target: bool) -> Cause:
    what = "replaced" if is_target else "what replaces another"
    return Cause(
        STATIC,
        f"{func.name} is no global function, and only those are replaced or replace others",
        (
            f"{what}: {text}",
            "its type information (BTF) says static, as clang before 10 says of every function",
        ),
        f"remove static (and __always_inline) from {func.name}, and compile it with clang 10 or "
        "later",
    )
