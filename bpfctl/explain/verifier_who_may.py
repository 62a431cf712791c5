"""Which program types may call what this one may not: asked of the kernel that refused.

A program that calls the function with nothing set up is offered as each type. It is rejected, and
what matters is whether for the type or for the arguments.
"""

from __future__ import annotations

from bpfctl.asm.insn import BPF_CALL_IMM, BPF_EXIT_INSN, BPF_PSEUDO_KFUNC_CALL, Insn, encode
from bpfctl.errors import BpfctlError
from bpfctl.explain.verifier_messages import recognise
from bpfctl.explain.verifier_rules_call import KFUNC_NOT_ALLOWED, NOT_ALLOWED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.errors import VerifierError
    from bpfctl.features.prober import Prober

_NO = b" is not allowed"


def add_who_may(error: VerifierError) -> None:
    """Add the section names of the types that may, where a call was refused to this type."""
    if error.rejection is None or error.code not in (NOT_ALLOWED, KFUNC_NOT_ALLOWED):
        return
    match = recognise(error.rejection.message.split("\n"))
    fields = match.fields if match else {}
    from bpfctl.features.prober import Prober

    try:
        with Prober() as prober:
            if isinstance(fields.get("number"), int) and error.code == NOT_ALLOWED:
                names = _helper(prober, fields["number"])
            else:
                names = _kfunc(prober, str(fields.get("name", "")))
    except (BpfctlError, OSError):  # what cannot be asked stays unsaid
        return
    error.rejection = error.rejection._replace(who_may=tuple(names))


def _helper(prober: Prober, number: int) -> list[str]:
    from bpfctl.features.helpers import types_with_helper

    return types_with_helper(prober, number)


def _kfunc(prober: Prober, name: str) -> list[str]:
    """The same for a kernel function, unless it is in a module."""
    from bpfctl.features.helpers import offer, one_of_each_type

    number = prober.target_id((name,))
    if not number:
        return []
    call = Insn(BPF_CALL_IMM, src=BPF_PSEUDO_KFUNC_CALL, imm=number)
    code = encode([call, Insn(0xB7), Insn(BPF_EXIT_INSN)])
    found = []
    for probe in one_of_each_type():
        _, log = offer(prober, probe, code)
        if name.encode() in log and _NO not in log:
            found.append(probe.name)
    return found
