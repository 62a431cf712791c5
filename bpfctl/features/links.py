"""Which kinds of links the kernel makes.

Each request names a target that cannot be: a kernel that knows the kind complains about the
target, one that does not about the request. Nothing is ever attached.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bpfctl.errors import ENOTSUPP
from bpfctl.features.prober import NOTHING
from bpfctl.features.verdict import errno_name, judge, not_available, unknown
from bpfctl.kernel.attr import link_create, prog_load
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import AttachType, ProgType

if TYPE_CHECKING:
    from bpfctl.features.verdict import Verdict
    from bpfctl.linux.kconfig import KernelConfig

_NO_DEVICE = 0x7FFFFFFF
_NO_ADDRESS = 1
_NO_FD = 0x7FFFFFFF
_NO = frozenset({errno.EINVAL, errno.EOPNOTSUPP, ENOTSUPP, errno.E2BIG})


@dataclass(frozen=True, slots=True)
class LinkProbe:
    """What to ask for, and the errnos that only a kernel with this kind of link gives.

    `config` is the option that builds it, to name where the answer is no.
    """

    prog_type: ProgType
    attach_type: AttachType
    exists: frozenset[int]
    since: str
    target: int = 0
    part: str = ""
    fields: dict[str, int] = field(default_factory=dict)
    config: str = ""


def _multi(attach_type: AttachType, since: str, part: str, config: str, *words: str) -> LinkProbe:
    """Ask for a link on many functions, whose list is at an address that cannot be read."""
    fields = {"cnt": 1, **dict.fromkeys(words, _NO_ADDRESS)}
    fault = frozenset({errno.EFAULT})
    return LinkProbe(
        ProgType.KPROBE, attach_type, fault, since, part=part, fields=fields, config=config
    )


def _device(attach_type: AttachType, since: str, config: str) -> LinkProbe:
    gone = frozenset({errno.ENODEV})
    return LinkProbe(ProgType.SCHED_CLS, attach_type, gone, since, target=_NO_DEVICE, config=config)


# Sources: link_create in kernel/bpf/syscall.c and the functions it calls, Linux 6.18.
PROBES: dict[str, LinkProbe] = {
    "perf_event": LinkProbe(
        ProgType.TRACEPOINT,
        AttachType.PERF_EVENT,
        frozenset({errno.EBADF}),
        "5.15",
        target=_NO_FD,
        config="CONFIG_PERF_EVENTS",
    ),
    "kprobe_multi": _multi(
        AttachType.TRACE_KPROBE_MULTI, "5.18", "kprobe_multi", "CONFIG_FPROBE", "syms"
    ),
    "kprobe_session": _multi(
        AttachType.TRACE_KPROBE_SESSION, "6.10", "kprobe_multi", "CONFIG_FPROBE", "syms"
    ),
    "netfilter": LinkProbe(
        ProgType.NETFILTER,
        AttachType.NETFILTER,
        frozenset({errno.EAFNOSUPPORT}),
        "6.4",
        part="netfilter",
        fields={"pf": 255},
        config="CONFIG_NETFILTER_BPF_LINK",
    ),
    "uprobe_multi": _multi(
        AttachType.TRACE_UPROBE_MULTI, "6.6", "uprobe_multi", "CONFIG_UPROBES", "path", "offsets"
    ),
    "tcx": _device(AttachType.TCX_INGRESS, "6.6", "CONFIG_NET_XGRESS"),
    "netkit": _device(AttachType.NETKIT_PRIMARY, "6.7", "CONFIG_NETKIT"),
    "uprobe_session": _multi(
        AttachType.TRACE_UPROBE_SESSION, "6.13", "uprobe_multi", "CONFIG_UPROBES", "path", "offsets"
    ),
}


def probe_links(config: KernelConfig | None) -> dict[str, Verdict]:
    """Return a verdict for each kind of link we can ask about, by the kernel's name."""
    return {name: _with_config(_probe(how), how, config) for name, how in PROBES.items()}


def _probe(how: LinkProbe) -> Verdict:
    loaded = try_bpf(
        prog_load(
            prog_type=how.prog_type,
            insns=NOTHING,
            license="GPL",
            expected_attach_type=0 if how.part == "" else how.attach_type,
        )
    )
    if loaded < 0:
        number, reason = -loaded, f"its program does not load: {errno_name(-loaded)}"
        no = number == errno.EINVAL
        return (not_available if no else unknown)(reason, number, how.since)
    with Fd(loaded) as prog:
        attr = link_create(prog_fd=prog, attach_type=how.attach_type, target_fd=how.target)
        if how.part:
            attr.set(f"link_create.{how.part}", **how.fields)
        number = -try_bpf(attr)
    return judge(number, no=_NO - how.exists, yes=how.exists, since=how.since)


def _with_config(verdict: Verdict, how: LinkProbe, config: KernelConfig | None) -> Verdict:
    """Name the option that is missing, where the answer is no and the configuration tells."""
    if verdict.available is not False or config is None or not how.config:
        return verdict
    if config.get(how.config) is not None:
        return verdict
    return not_available(f"{how.config} is not set", verdict.errno, verdict.since)
