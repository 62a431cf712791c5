"""Which helper functions programs of each type may call.

A program that calls the helper with no arguments set up is offered to the verifier. The call is
nearly always rejected; what matters is whether for the lack of the helper or for the arguments.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from bpfctl.features.prober import CALL
from bpfctl.features.verdict import Answer
from bpfctl.kernel.uapi_helpers import HelperId

if TYPE_CHECKING:
    from bpfctl.features.prober import Prober
    from bpfctl.features.programs import ProgramProbe

# Words of the verifier for a helper that this program may not call, or that does not exist
# (check_helper_call in kernel/bpf/verifier.c; "cannot use helper" since Linux 6.10).
_REFUSALS = (b"unknown func", b"invalid func", b"cannot use helper")


def helper_names() -> list[str]:
    """Return the names of all helpers we know, by their numbers ("bpf_map_lookup_elem")."""
    return [_name(helper) for helper in HelperId if helper]


def _name(helper: HelperId) -> str:
    return f"bpf_{helper.name.lower()}"


def probe_helpers(prober: Prober, probe: ProgramProbe, target: int = 0) -> dict[str, Answer]:
    """Return an answer for each helper, by name, for programs of one combination.

    `target` is the BTF id such programs are loaded against, 0 for none.
    """
    code = bytearray(CALL)
    request = prober.request(probe.prog_type, code, attach_type=probe.attach_type, btf_id=target)
    return {
        _name(helper): judge_call(*prober.offer_call(request, code, helper))
        for helper in HelperId
        if helper
    }


def judge_call(number: int, log: bytes) -> Answer:
    """Turn errno (0 for success) and verifier log of one offered call into an answer."""
    if number == 0:
        return Answer.AVAILABLE
    if any(words in log for words in _REFUSALS):
        return Answer.NOT_AVAILABLE
    if not log or number == errno.EPERM:
        return Answer.UNKNOWN
    return Answer.AVAILABLE


def names_with(answers: dict[str, Answer], answer: Answer) -> list[str]:
    """Return the names that have one answer, in their order."""
    return [name for name, given in answers.items() if given is answer]
