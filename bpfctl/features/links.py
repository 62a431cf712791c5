"""Which kinds of links the kernel makes.

Each request names a target that cannot be: a kernel that knows the kind complains about the
target, one that does not about the request. Nothing is ever attached. Only an iterator's link is
really made: it is attached to nothing, and it goes at once. XDP links are not here: for a device
that is not there the kernel answers EINVAL, as one does that has none.
"""

from __future__ import annotations

import errno

from bpfctl.errors import ENOTSUPP
from bpfctl.features.options import explained
from bpfctl.features.prober import NOTHING
from bpfctl.features.programs import TARGETS
from bpfctl.features.verdict import errno_name, judge, not_available, unknown
from bpfctl.kernel.attr import link_create, prog_load
from bpfctl.kernel.bpf import try_bpf
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.uapi import AttachType, ProgType
from bpfctl.plain import field, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.features.prober import Prober
    from bpfctl.features.verdict import Verdict
    from bpfctl.linux.kconfig import KernelConfig

_NO_DEVICE = 0x7FFFFFFF
_NO_ADDRESS = 1
_NO_FD = 0x7FFFFFFF
_NO = frozenset({errno.EINVAL, errno.EOPNOTSUPP, ENOTSUPP, errno.E2BIG})


@plain
class LinkProbe:
    """What to ask for, and the errnos that only a kernel with this kind of link gives.

    `load_as` is the attach type the program is loaded for (None: 0) and `attach_type` that of the
    link. `part` and `fields` fill the part of the request that this kind has. `config` is the
    option that builds it, to name where the answer is no.
    """

    prog_type: ProgType
    attach_type: AttachType
    exists: frozenset[int]
    since: str
    config: str = ""
    target: int = 0
    load_as: AttachType | None = None
    part: str = ""
    fields: dict[str, int] = field(default_factory=dict)


def _multi(attach_type: AttachType, since: str, part: str, config: str, *words: str) -> LinkProbe:
    """Ask for a link on many functions, whose list is at an address that cannot be read."""
    tracing = attach_type is AttachType.TRACE_FENTRY_MULTI
    return LinkProbe(
        ProgType.TRACING if tracing else ProgType.KPROBE,
        attach_type,
        frozenset({errno.EFAULT}),
        since,
        config,
        load_as=attach_type,
        part=part,
        fields={"cnt": 1, **dict.fromkeys(words, _NO_ADDRESS)},
    )


def _device(attach_type: AttachType, since: str, config: str) -> LinkProbe:
    """Ask for a link on a network device that is not there."""
    gone = frozenset({errno.ENODEV})
    return LinkProbe(ProgType.SCHED_CLS, attach_type, gone, since, config, _NO_DEVICE)


def _file(
    prog_type: ProgType, attach_type: AttachType, since: str, config: str, *, load: bool = True
) -> LinkProbe:
    """Ask for a link on what a descriptor refers to that is not open."""
    closed = frozenset({errno.EBADF})
    load_as = attach_type if load else None
    return LinkProbe(prog_type, attach_type, closed, since, config, _NO_FD, load_as)


# Sources: link_create in kernel/bpf/syscall.c and the functions it calls, Linux 6.18.
PROBES: dict[str, LinkProbe] = {
    "cgroup": _file(
        ProgType.CGROUP_SKB, AttachType.CGROUP_INET_INGRESS, "5.7", "CONFIG_CGROUP_BPF"
    ),
    "iter": LinkProbe(
        ProgType.TRACING,
        AttachType.TRACE_ITER,
        frozenset(),
        "5.8",
        "CONFIG_BPF_EVENTS",
        load_as=AttachType.TRACE_ITER,
    ),
    "netns": _file(ProgType.FLOW_DISSECTOR, AttachType.FLOW_DISSECTOR, "5.8", "CONFIG_NET"),
    "perf_event": _file(
        ProgType.TRACEPOINT, AttachType.PERF_EVENT, "5.15", "CONFIG_PERF_EVENTS", load=False
    ),
    "kprobe_multi": _multi(
        AttachType.TRACE_KPROBE_MULTI, "5.18", "kprobe_multi", "CONFIG_FPROBE", "syms"
    ),
    "netfilter": LinkProbe(
        ProgType.NETFILTER,
        AttachType.NETFILTER,
        frozenset({errno.EAFNOSUPPORT}),
        "6.4",
        "CONFIG_NETFILTER_BPF_LINK",
        load_as=AttachType.NETFILTER,
        part="netfilter",
        fields={"pf": 255},
    ),
    "uprobe_multi": _multi(
        AttachType.TRACE_UPROBE_MULTI, "6.6", "uprobe_multi", "CONFIG_UPROBES", "path", "offsets"
    ),
    "tcx": _device(AttachType.TCX_INGRESS, "6.6", "CONFIG_NET_XGRESS"),
    "netkit": _device(AttachType.NETKIT_PRIMARY, "6.7", "CONFIG_NETKIT"),
    "kprobe_session": _multi(
        AttachType.TRACE_KPROBE_SESSION, "6.10", "kprobe_multi", "CONFIG_FPROBE", "syms"
    ),
    "sockmap": _file(ProgType.SK_MSG, AttachType.SK_MSG_VERDICT, "6.10", "CONFIG_NET"),
    "uprobe_session": _multi(
        AttachType.TRACE_UPROBE_SESSION, "6.13", "uprobe_multi", "CONFIG_UPROBES", "path", "offsets"
    ),
    "tracing_multi": _multi(
        AttachType.TRACE_FENTRY_MULTI, "7.2", "tracing_multi", "CONFIG_FUNCTION_TRACER", "ids"
    ),
}


def probe_links(prober: Prober, config: KernelConfig | None) -> dict[str, Verdict]:
    """Return a verdict for each kind of link we can ask about, by the kernel's name."""
    return {name: probe_link(prober, name, config) for name in PROBES}


def probe_link(prober: Prober, name: str, config: KernelConfig | None = None) -> Verdict:
    """Return the verdict for one kind of link ("tcx").

    Raises: KeyError for a kind that is not in PROBES.
    """
    how = PROBES[name]
    return explained(_probe(prober, how), how.config, config)


def _probe(prober: Prober, how: LinkProbe) -> Verdict:
    """Load a program and ask for its link.

    A program that is not taken is no news of the link, unless the kernel does not even know what
    the program is to be attached to (EINVAL).
    """
    loaded = prober.call(
        prog_load(
            prog_type=how.prog_type,
            insns=NOTHING,
            license="GPL",
            expected_attach_type=how.load_as or 0,
            attach_btf_id=_target(prober, how),
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
        made = try_bpf(attr)
    if made >= 0:
        Fd(made).close()
    return judge(max(-made, 0), no=_NO - how.exists, yes=how.exists, since=how.since)


def _target(prober: Prober, how: LinkProbe) -> int:
    """Return the BTF id of what a tracing program is loaded against, 0 for other programs."""
    return prober.target_id(TARGETS.get(how.attach_type, ()))
