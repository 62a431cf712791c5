"""From `struct bpf_link_info` to the details of each kind of link."""

from __future__ import annotations

from bpfctl.kernel.info import link_text
from bpfctl.kernel.link_tails import link_numbers, link_path
from bpfctl.kernel.uapi import LinkType, PerfEventType
from bpfctl.objects import link_kinds as kinds
from bpfctl.objects import link_probes as probes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from bpfctl.kernel.fd import Fd
    from bpfctl.kernel.info import Info

    Reader = Callable[[Fd, Info], kinds.Details | None]

# BPF_F_KPROBE_MULTI_RETURN and BPF_F_UPROBE_MULTI_RETURN (include/uapi/linux/bpf.h, Linux 5.18).
_MULTI_RETURN: Final = 1


def read_details(fd: Fd, info: Info, link_type: int) -> kinds.Details | None:
    """Return the details of an open link; None for kinds that we, or the kernel, know nothing of.

    Raises: SyscallError.
    """
    reader = _READERS.get(link_type)
    return reader(fd, info) if reader else None


def _number(info: Info, name: str) -> int:
    return info.number(name) or 0


def _raw_tracepoint(fd: Fd, info: Info) -> kinds.Details:
    name = link_text(fd, "raw_tracepoint", "tp_name", "tp_name_len")
    return kinds.RawTracepoint(name, info.number("raw_tracepoint.cookie") or None)


def _tracing(fd: Fd, info: Info) -> kinds.Details:
    del fd
    return kinds.Tracing(
        _number(info, "tracing.attach_type"),
        _number(info, "tracing.target_obj_id"),
        _number(info, "tracing.target_btf_id"),
        info.number("tracing.cookie") or None,
    )


def _cgroup(fd: Fd, info: Info) -> kinds.Details:
    del fd
    return kinds.Cgroup(_number(info, "cgroup.cgroup_id"), _number(info, "cgroup.attach_type"))


def _iter(fd: Fd, info: Info) -> kinds.Details:
    name = link_text(fd, "iter", "target_name", "target_name_len")
    if name in kinds.MAP_TARGETS:
        return kinds.Iter(name, map_id=info.number("iter.map.map_id"))
    if name in kinds.TASK_TARGETS:
        tid, pid = info.number("iter.task.tid"), info.number("iter.task.pid")
        return kinds.Iter(name, tid=tid or None, pid=pid or None)
    if name == "cgroup":
        return kinds.Iter(
            name,
            cgroup_id=info.number("iter.cgroup.cgroup_id"),
            order=info.number("iter.cgroup.order"),
        )
    return kinds.Iter(name)


def _netns(fd: Fd, info: Info) -> kinds.Details:
    del fd
    return kinds.Netns(_number(info, "netns.netns_ino"), _number(info, "netns.attach_type"))


def _xdp(fd: Fd, info: Info) -> kinds.Details:
    del fd
    return kinds.Device(_number(info, "xdp.ifindex"))


def _tcx(fd: Fd, info: Info) -> kinds.Details:
    del fd
    return kinds.Device(_number(info, "tcx.ifindex"), info.number("tcx.attach_type"))


def _netkit(fd: Fd, info: Info) -> kinds.Details:
    del fd
    return kinds.Device(_number(info, "netkit.ifindex"), info.number("netkit.attach_type"))


def _struct_ops(fd: Fd, info: Info) -> kinds.Details:
    del fd
    return kinds.StructOps(_number(info, "struct_ops.map_id"))


def _sockmap(fd: Fd, info: Info) -> kinds.Details:
    del fd
    return kinds.Sockmap(_number(info, "sockmap.map_id"), _number(info, "sockmap.attach_type"))


def _netfilter(fd: Fd, info: Info) -> kinds.Details:
    del fd
    numbers = [
        _number(info, f"netfilter.{name}") for name in ("pf", "hooknum", "priority", "flags")
    ]
    return kinds.Netfilter(*numbers)


def _kprobe_multi(fd: Fd, info: Info) -> kinds.Details:
    count = _number(info, "kprobe_multi.count")
    arrays = ["addrs", "cookies"] if info.knows("kprobe_multi.cookies") else ["addrs"]
    found = link_numbers(fd, "kprobe_multi", arrays, count)
    addresses = found.get("addrs", [])
    cookies = found.get("cookies") or [0] * len(addresses)
    return probes.KprobeMulti(
        count,
        bool(_number(info, "kprobe_multi.flags") & _MULTI_RETURN),
        info.number("kprobe_multi.missed"),
        tuple(probes.Place(*pair) for pair in zip(addresses, cookies, strict=True)),
    )


def _tracing_multi(fd: Fd, info: Info) -> kinds.Details:
    count = _number(info, "tracing_multi.count")
    found = link_numbers(fd, "tracing_multi", ["addrs", "cookies"], count)
    places = zip(found.get("addrs", []), found.get("cookies", []), strict=True)
    return probes.TracingMulti(
        _number(info, "tracing_multi.attach_type"),
        count,
        tuple(probes.Place(*pair) for pair in places),
    )


def _uprobe_multi(fd: Fd, info: Info) -> kinds.Details:
    count = _number(info, "uprobe_multi.count")
    arrays = ["offsets", "cookies", "ref_ctr_offsets"]
    found = link_numbers(fd, "uprobe_multi", arrays, count)
    columns = [found.get(name, []) for name in arrays]
    return probes.UprobeMulti(
        link_path(fd),
        count,
        bool(_number(info, "uprobe_multi.flags") & _MULTI_RETURN),
        _number(info, "uprobe_multi.pid"),
        tuple(probes.Place(*numbers) for numbers in zip(*columns, strict=True)),
    )


def _perf_event(fd: Fd, info: Info) -> kinds.Details | None:
    """Read what the event is of; kernels before 6.6 do not tell."""
    match _number(info, "perf_event.type"):
        case PerfEventType.TRACEPOINT:
            name = link_text(fd, "perf_event.tracepoint", "tp_name", "name_len")
            return probes.PerfTracepoint(name, info.number("perf_event.tracepoint.cookie"))
        case PerfEventType.KPROBE | PerfEventType.KRETPROBE as kind:
            return _perf_kprobe(fd, info, is_return=kind == PerfEventType.KRETPROBE)
        case PerfEventType.UPROBE | PerfEventType.URETPROBE as kind:
            return _perf_uprobe(fd, info, is_return=kind == PerfEventType.URETPROBE)
        case PerfEventType.EVENT:
            return probes.PerfEvent(
                _number(info, "perf_event.event.type"),
                _number(info, "perf_event.event.config"),
                info.number("perf_event.event.cookie"),
            )
    return None


def _perf_kprobe(fd: Fd, info: Info, *, is_return: bool) -> kinds.Details:
    return probes.PerfKprobe(
        link_text(fd, "perf_event.kprobe", "func_name", "name_len"),
        _number(info, "perf_event.kprobe.offset"),
        _number(info, "perf_event.kprobe.addr"),
        is_return,
        info.number("perf_event.kprobe.missed"),
        info.number("perf_event.kprobe.cookie"),
    )


def _perf_uprobe(fd: Fd, info: Info, *, is_return: bool) -> kinds.Details:
    return probes.PerfUprobe(
        link_text(fd, "perf_event.uprobe", "file_name", "name_len"),
        _number(info, "perf_event.uprobe.offset"),
        is_return,
        info.number("perf_event.uprobe.cookie"),
        info.number("perf_event.uprobe.ref_ctr_offset"),
    )


_READERS: Final[dict[int, Reader]] = {
    LinkType.RAW_TRACEPOINT: _raw_tracepoint,
    LinkType.TRACING: _tracing,
    LinkType.CGROUP: _cgroup,
    LinkType.ITER: _iter,
    LinkType.NETNS: _netns,
    LinkType.XDP: _xdp,
    LinkType.PERF_EVENT: _perf_event,
    LinkType.KPROBE_MULTI: _kprobe_multi,
    LinkType.STRUCT_OPS: _struct_ops,
    LinkType.NETFILTER: _netfilter,
    LinkType.TCX: _tcx,
    LinkType.UPROBE_MULTI: _uprobe_multi,
    LinkType.TRACING_MULTI: _tracing_multi,
    LinkType.NETKIT: _netkit,
    LinkType.SOCKMAP: _sockmap,
}
