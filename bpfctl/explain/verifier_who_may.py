"""Which program types may call what this one may not: asked of the kernel that refused.

A program that calls the function with nothing set up is offered as each type. It is rejected, and
what matters is whether for the type or for the arguments.
"""

from __future__ import annotations

from bpfctl.asm.insn import BPF_CALL_IMM, BPF_EXIT_INSN, BPF_PSEUDO_KFUNC_CALL, Insn, encode
from bpfctl.errors import BpfctlError
from bpfctl.explain.verifier_messages import recognise
from bpfctl.explain.verifier_rules_call import KFUNC_NOT_ALLOWED, NOT_ALLOWED, UNKNOWN
from bpfctl.kernel.uapi_helpers import HelperId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.errors import VerifierError
    from bpfctl.features.prober import Prober

_NO = b" is not allowed"
# Helpers that are built with an option, for program types that are there without it. Source:
# kernel/trace/bpf_trace.c, net/core/filter.c (Linux 6.12).
_OPTIONS: Final[dict[int, str]] = {
    HelperId.get_cgroup_classid: "CONFIG_CGROUP_NET_CLASSID",
    HelperId.get_route_realm: "CONFIG_IP_ROUTE_CLASSID",
    HelperId.override_return: "CONFIG_BPF_KPROBE_OVERRIDE",
    HelperId.skb_get_xfrm_state: "CONFIG_XFRM",
    HelperId.lwt_seg6_store_bytes: "CONFIG_IPV6_SEG6_BPF",
    HelperId.lwt_seg6_adjust_srh: "CONFIG_IPV6_SEG6_BPF",
    HelperId.lwt_seg6_action: "CONFIG_IPV6_SEG6_BPF",
    HelperId.skb_cgroup_classid: "CONFIG_CGROUP_NET_CLASSID",
}


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
    if not names and isinstance(fields.get("number"), int):
        _add_option(error, fields["number"])


def _add_option(error: VerifierError, number: int) -> None:
    """Say so where the kernel was built without a helper, which no type may call then."""
    from bpfctl.linux.kconfig import kernel_config

    option = _OPTIONS.get(number)
    config = kernel_config() if option else None
    if option is None or config is None or config.get(option) is not None:
        return
    error.code = UNKNOWN
    error.message = f"rejected: this kernel was built without bpf_{HelperId(number).name}()"
    error.evidence.append(f"{option} is not set in {config.source}")
    error.remedy = f"use a kernel that was built with {option}"
    if error.rejection is not None:
        error.rejection = error.rejection._replace(change=error.remedy)


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
