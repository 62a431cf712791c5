"""The table of program section names: what each means to the kernel.

Sources: the section definitions and docs/program_types.rst of libbpf 1.8 (names, types, flags);
first kernels from the commits that added the program or attach type. `user` is our own: programs
that user space runs on demand (BPF_PROG_TEST_RUN of a raw tracepoint program on a chosen CPU).
"""

from __future__ import annotations

from bpfctl.elf.section_def import AttachKind, Follow, Grammar, SectionDef
from bpfctl.kernel.uapi import AttachType as A
from bpfctl.kernel.uapi import ProgType as P

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final


def _plain(name: str, prog: P, attach: A | None, kind: AttachKind, since: str) -> SectionDef:
    """Define a name that stands alone."""
    return SectionDef(name, prog, attach, kind, since)


def _label(name: str, prog: P, attach: A | None, kind: AttachKind, since: str) -> SectionDef:
    """Define a name that may carry a label."""
    return SectionDef(name, prog, attach, kind, since, Follow.LABEL, Grammar.LABEL)


def _target(
    name: str, prog: P, attach: A | None, kind: AttachKind, since: str, grammar: Grammar
) -> SectionDef:
    """Define a name that may carry a target; ".s" in it says that the program may sleep."""
    btf = kind in _BTF_KINDS
    follow = Follow.REQUIRED_TARGET if kind is AttachKind.ITER else Follow.TARGET
    return SectionDef(name, prog, attach, kind, since, follow, grammar, name.endswith(".s"), btf)


_BTF_KINDS: Final = frozenset(
    {
        AttachKind.TRACING,
        AttachKind.EXT,
        AttachKind.LSM,
        AttachKind.LSM_CGROUP,
        AttachKind.ITER,
    }
)


def _probes() -> Iterator[SectionDef]:
    kprobe, g = P.KPROBE, Grammar
    one, many = AttachKind.KPROBE, AttachKind.KPROBE_MULTI
    yield _target("kprobe", kprobe, None, one, "4.1", g.FUNCTION)
    yield _target("kretprobe", kprobe, None, one, "4.1", g.RETURN)
    yield _target("ksyscall", kprobe, None, AttachKind.KSYSCALL, "4.1", g.SYSCALL)
    yield _target("kretsyscall", kprobe, None, AttachKind.KSYSCALL, "4.1", g.SYSCALL)
    multi, session = A.TRACE_KPROBE_MULTI, A.TRACE_KPROBE_SESSION
    yield _target("kprobe.multi", kprobe, multi, many, "5.18", g.PATTERN)
    yield _target("kretprobe.multi", kprobe, multi, many, "5.18", g.PATTERN)
    yield _target("kprobe.session", kprobe, session, many, "6.10", g.PATTERN)
    for dot, since in (("", "4.3"), (".s", "6.0")):
        yield _target("uprobe" + dot, kprobe, None, AttachKind.UPROBE, since, g.BINARY_FUNCTION)
        yield _target("uretprobe" + dot, kprobe, None, AttachKind.UPROBE, since, g.BINARY_FUNCTION)
        yield _target("usdt" + dot, kprobe, None, AttachKind.USDT, since, g.BINARY_PROBE)
    many, multi, session = AttachKind.UPROBE_MULTI, A.TRACE_UPROBE_MULTI, A.TRACE_UPROBE_SESSION
    for dot in ("", ".s"):
        yield _target("uprobe.multi" + dot, kprobe, multi, many, "6.6", g.BINARY_PATTERN)
        yield _target("uretprobe.multi" + dot, kprobe, multi, many, "6.6", g.BINARY_PATTERN)
        yield _target("uprobe.session" + dot, kprobe, session, many, "6.13", g.BINARY_PATTERN)


def _tracepoints() -> Iterator[SectionDef]:
    classic, raw, g = AttachKind.TRACEPOINT, AttachKind.RAW_TRACEPOINT, Grammar
    for dot, since, since_raw in (("", "4.7", "4.17"), (".s", "7.2", "7.2")):
        yield _target("tracepoint" + dot, P.TRACEPOINT, None, classic, since, g.TRACEPOINT)
        yield _target("tp" + dot, P.TRACEPOINT, None, classic, since, g.TRACEPOINT)
        for name in ("raw_tracepoint", "raw_tp"):
            yield _target(name + dot, P.RAW_TRACEPOINT, None, raw, since_raw, g.RAW_TRACEPOINT)
    for name in ("raw_tracepoint.w", "raw_tp.w"):
        yield _target(name, P.RAW_TRACEPOINT_WRITABLE, None, raw, "5.2", g.RAW_TRACEPOINT)
    for name, since in (("tp_btf", "5.5"), ("tp_btf.s", "7.2")):
        yield _target(name, P.TRACING, A.TRACE_RAW_TP, AttachKind.TRACING, since, g.RAW_TRACEPOINT)


def _functions() -> Iterator[SectionDef]:
    tracing, k, g = P.TRACING, AttachKind, Grammar
    for name, attach, since, since_sleepable in (
        ("fentry", A.TRACE_FENTRY, "5.5", "5.10"),
        ("fmod_ret", A.MODIFY_RETURN, "5.7", "5.10"),
        ("fexit", A.TRACE_FEXIT, "5.5", "5.10"),
        ("fsession", A.TRACE_FSESSION, "7.0", "7.0"),
    ):
        yield _target(name, tracing, attach, k.TRACING, since, g.BTF_FUNCTION)
        yield _target(name + ".s", tracing, attach, k.TRACING, since_sleepable, g.BTF_FUNCTION)
    for name, attach in (
        ("fentry.multi", A.TRACE_FENTRY_MULTI),
        ("fexit.multi", A.TRACE_FEXIT_MULTI),
        ("fsession.multi", A.TRACE_FSESSION_MULTI),
    ):
        for dot in ("", ".s"):
            yield _target(name + dot, tracing, attach, k.TRACING_MULTI, "7.2", g.BTF_PATTERN)
    yield _target("freplace", P.EXT, None, k.EXT, "5.6", g.BTF_FUNCTION)
    yield _target("lsm", P.LSM, A.LSM_MAC, k.LSM, "5.7", g.HOOK)
    yield _target("lsm.s", P.LSM, A.LSM_MAC, k.LSM, "5.10", g.HOOK)
    yield _target("lsm_cgroup", P.LSM, A.LSM_CGROUP, k.LSM_CGROUP, "6.0", g.HOOK)
    yield _target("iter", tracing, A.TRACE_ITER, k.ITER, "5.8", g.ITERATOR)
    yield _target("iter.s", tracing, A.TRACE_ITER, k.ITER, "5.18", g.ITERATOR)
    yield _target("struct_ops", P.STRUCT_OPS, None, k.STRUCT_OPS, "5.6", g.MEMBER)
    yield _target("struct_ops.s", P.STRUCT_OPS, None, k.STRUCT_OPS, "6.3", g.MEMBER)


def _on_demand() -> Iterator[SectionDef]:
    yield _label("user", P.RAW_TRACEPOINT, None, AttachKind.NONE, "5.10")
    yield _label("syscall", P.SYSCALL, None, AttachKind.NONE, "5.14")._replace(sleepable=True)
    yield _label("perf_event", P.PERF_EVENT, None, AttachKind.PERF_EVENT, "4.9")


def _devices() -> Iterator[SectionDef]:
    k = AttachKind
    for suffix, attach, since in (("devmap", A.XDP_DEVMAP, "5.8"), ("cpumap", A.XDP_CPUMAP, "5.9")):
        yield _plain(f"xdp/{suffix}", P.XDP, attach, k.NONE, since)
        yield _plain(f"xdp.frags/{suffix}", P.XDP, attach, k.NONE, "5.18")._replace(frags=True)
    yield _label("xdp", P.XDP, A.XDP, k.XDP, "4.8")
    yield _label("xdp.frags", P.XDP, A.XDP, k.XDP, "5.18")._replace(frags=True)
    cls = P.SCHED_CLS
    for name in ("tcx", "tc"):  # libbpf's own words: tc/ingress is another name of tcx/ingress
        yield _plain(f"{name}/ingress", cls, A.TCX_INGRESS, k.TCX, "6.6")
        yield _plain(f"{name}/egress", cls, A.TCX_EGRESS, k.TCX, "6.6")
    modern = ("tcx/ingress", "tcx/egress")
    yield _label("tc", cls, None, k.TC, "4.1")._replace(modern=modern)
    yield _label("classifier", cls, None, k.TC, "4.1")._replace(modern=modern)
    yield _label("action", P.SCHED_ACT, None, k.TC, "4.1")._replace(modern=modern)
    yield _plain("netkit/primary", cls, A.NETKIT_PRIMARY, k.NETKIT, "6.7")
    yield _plain("netkit/peer", cls, A.NETKIT_PEER, k.NETKIT, "6.7")
    yield _label("netfilter", P.NETFILTER, A.NETFILTER, k.NETFILTER, "6.4")
    yield _label("lwt_in", P.LWT_IN, None, k.LWT, "4.10")
    yield _label("lwt_out", P.LWT_OUT, None, k.LWT, "4.10")
    yield _label("lwt_xmit", P.LWT_XMIT, None, k.LWT, "4.10")
    yield _label("lwt_seg6local", P.LWT_SEG6LOCAL, None, k.LWT, "4.18")
    yield _label("lirc_mode2", P.LIRC_MODE2, A.LIRC_MODE2, k.LIRC, "4.18")


def _sockets() -> Iterator[SectionDef]:
    k, skb = AttachKind, P.SK_SKB
    yield _label("socket", P.SOCKET_FILTER, None, k.SOCKET, "3.19")
    yield _plain("sk_reuseport", P.SK_REUSEPORT, A.SK_REUSEPORT_SELECT, k.SOCKET, "4.19")
    yield _plain(
        "sk_reuseport/migrate", P.SK_REUSEPORT, A.SK_REUSEPORT_SELECT_OR_MIGRATE, k.SOCKET, "5.14"
    )
    yield _plain("sk_skb/stream_parser", skb, A.SK_SKB_STREAM_PARSER, k.SOCKMAP, "4.14")
    yield _plain("sk_skb/stream_verdict", skb, A.SK_SKB_STREAM_VERDICT, k.SOCKMAP, "4.14")
    yield _plain("sk_skb/verdict", skb, A.SK_SKB_VERDICT, k.SOCKMAP, "5.13")
    yield _plain("sk_skb", skb, None, k.SOCKMAP, "4.14")
    yield _label("sk_msg", P.SK_MSG, A.SK_MSG_VERDICT, k.SOCKMAP, "4.17")
    yield _label("flow_dissector", P.FLOW_DISSECTOR, A.FLOW_DISSECTOR, k.NETNS, "4.20")
    yield _label("sk_lookup", P.SK_LOOKUP, A.SK_LOOKUP, k.NETNS, "5.9")
    yield _label("sockops", P.SOCK_OPS, A.CGROUP_SOCK_OPS, k.CGROUP, "4.13")


_SOCK_ADDR: Final = (
    ("bind4", A.CGROUP_INET4_BIND, "4.17"),
    ("bind6", A.CGROUP_INET6_BIND, "4.17"),
    ("connect4", A.CGROUP_INET4_CONNECT, "4.17"),
    ("connect6", A.CGROUP_INET6_CONNECT, "4.17"),
    ("connect_unix", A.CGROUP_UNIX_CONNECT, "6.7"),
    ("sendmsg4", A.CGROUP_UDP4_SENDMSG, "4.18"),
    ("sendmsg6", A.CGROUP_UDP6_SENDMSG, "4.18"),
    ("sendmsg_unix", A.CGROUP_UNIX_SENDMSG, "6.7"),
    ("recvmsg4", A.CGROUP_UDP4_RECVMSG, "5.2"),
    ("recvmsg6", A.CGROUP_UDP6_RECVMSG, "5.2"),
    ("recvmsg_unix", A.CGROUP_UNIX_RECVMSG, "6.7"),
    ("getpeername4", A.CGROUP_INET4_GETPEERNAME, "5.8"),
    ("getpeername6", A.CGROUP_INET6_GETPEERNAME, "5.8"),
    ("getpeername_unix", A.CGROUP_UNIX_GETPEERNAME, "6.7"),
    ("getsockname4", A.CGROUP_INET4_GETSOCKNAME, "5.8"),
    ("getsockname6", A.CGROUP_INET6_GETSOCKNAME, "5.8"),
    ("getsockname_unix", A.CGROUP_UNIX_GETSOCKNAME, "6.7"),
)

_CGROUP: Final = (
    ("cgroup_skb/ingress", P.CGROUP_SKB, A.CGROUP_INET_INGRESS, "4.10"),
    ("cgroup_skb/egress", P.CGROUP_SKB, A.CGROUP_INET_EGRESS, "4.10"),
    ("cgroup/skb", P.CGROUP_SKB, None, "4.10"),
    ("cgroup/sock", P.CGROUP_SOCK, A.CGROUP_INET_SOCK_CREATE, "4.10"),
    ("cgroup/sock_create", P.CGROUP_SOCK, A.CGROUP_INET_SOCK_CREATE, "4.10"),
    ("cgroup/sock_release", P.CGROUP_SOCK, A.CGROUP_INET_SOCK_RELEASE, "5.9"),
    ("cgroup/post_bind4", P.CGROUP_SOCK, A.CGROUP_INET4_POST_BIND, "4.17"),
    ("cgroup/post_bind6", P.CGROUP_SOCK, A.CGROUP_INET6_POST_BIND, "4.17"),
    ("cgroup/sysctl", P.CGROUP_SYSCTL, A.CGROUP_SYSCTL, "5.2"),
    ("cgroup/getsockopt", P.CGROUP_SOCKOPT, A.CGROUP_GETSOCKOPT, "5.3"),
    ("cgroup/setsockopt", P.CGROUP_SOCKOPT, A.CGROUP_SETSOCKOPT, "5.3"),
    ("cgroup/dev", P.CGROUP_DEVICE, A.CGROUP_DEVICE, "4.15"),
)


def _cgroups() -> Iterator[SectionDef]:
    for name, prog, attach, since in _CGROUP:
        yield _plain(name, prog, attach, AttachKind.CGROUP, since)
    for hook, attach, since in _SOCK_ADDR:
        yield _plain(f"cgroup/{hook}", P.CGROUP_SOCK_ADDR, attach, AttachKind.CGROUP, since)


DEFINITIONS: Final[tuple[SectionDef, ...]] = (
    *_on_demand(),
    *_tracepoints(),
    *_functions(),
    *_probes(),
    *_devices(),
    *_sockets(),
    *_cgroups(),
)
BY_NAME: Final[dict[str, SectionDef]] = {definition.name: definition for definition in DEFINITIONS}
