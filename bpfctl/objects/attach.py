"""Make links: attach programs."""

from __future__ import annotations

import errno

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_link import (
    link_create,
    raw_tracepoint_open,
    with_function,
)
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects import attach_net_targets as net
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach_multi import link_functions, link_kprobes, link_uprobes
from bpfctl.objects.attach_net import link_netfilter, link_netkit, link_netns, link_sockmap, ordered
from bpfctl.objects.attach_perf import link_event
from bpfctl.objects.attach_places import find_interface, open_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.prog import ProgInfo


def create_link(prog_fd: Fd, prog: ProgInfo, target: targets.Target) -> Fd:
    """Attach a program, and return the link; it ends when nobody holds or pins it any more.

    See attach_several.py for targets that may take several: static probes, all CPUs.

    The caller closes it. Whatever fails, nothing stays attached.
    Raises: NotFoundError (no such interface, tracepoint, function), PathError (the cgroup's
    directory), UsageError (a program that cannot go there), NotSupportedError, SyscallError.
    """
    try:
        return _ATTACH[type(target)](prog_fd, target)
    except SyscallError as err:
        from bpfctl.objects.attach_explain import explain

        err.knowing(prog, target)
        raise explain(err, prog, target) from err


def _raw_tracepoint(prog_fd: Fd, target: targets.RawTracepoint) -> Fd:
    return _open(raw_tracepoint_open(target.name, prog_fd, cookie=target.cookie), target)


def _loaded(prog_fd: Fd, target: targets.Loaded) -> Fd:
    """Attach where the program was loaded for. What that is only the kernel knows, so we try.

    It answers EINVAL when a program is no iterator (link_create, kernel/bpf/syscall.c, Linux 5.8).
    """
    if target.cookie:
        if target.attach_type == AttachType.TRACE_RAW_TP:
            _refuse_lost_cookie(target)
        attr = link_create(prog_fd=prog_fd, attach_type=target.attach_type or 0)
        return _open(with_function(attr, cookie=target.cookie), target)
    try:
        return _iter(prog_fd, targets.Iter())
    except SyscallError as err:
        if err.errno != errno.EINVAL:
            raise
        return _open(raw_tracepoint_open("", prog_fd), target)


def _refuse_lost_cookie(target: targets.Loaded) -> None:
    """Raise NotSupportedError where the kernel would take the cookie of a tp_btf and forget it.

    Before Linux 6.10 link_create (kernel/bpf/syscall.c) attaches such a program all the same.
    """
    from bpfctl.objects.attach_lacking import lacks_cookies

    err = lacks_cookies(target)
    if err is not None:
        raise err


def _function(prog_fd: Fd, target: targets.Function) -> Fd:
    """Replace a function, of another program than at load if need be (Linux 5.10)."""
    attr = link_create(prog_fd=prog_fd, attach_type=0, target_fd=target.prog_fd)
    return _open(with_function(attr, btf_id=target.btf_id), target)


def _iter(prog_fd: Fd, target: targets.Iter) -> Fd:
    from bpfctl.objects.attach_iter import link_iterator

    return link_iterator(prog_fd, target)


def _cgroup(prog_fd: Fd, target: targets.Cgroup) -> Fd:
    with open_directory(target.path) as group:
        attr = link_create(prog_fd=prog_fd, target_fd=group, attach_type=target.attach_type)
        return _open(ordered(attr, "cgroup", target.order), target)


def _xdp(prog_fd: Fd, target: targets.Xdp) -> Fd:
    attr = link_create(
        prog_fd=prog_fd,
        target_ifindex=find_interface(target.device),
        attach_type=AttachType.XDP,
        flags=targets.XDP_MODES[target.mode] if target.mode else 0,
    )
    return _open(attr, target)


def _tcx(prog_fd: Fd, target: targets.Tcx) -> Fd:
    attr = link_create(
        prog_fd=prog_fd,
        target_ifindex=find_interface(target.device),
        attach_type=target.attach_type,
    )
    return _open(ordered(attr, "tcx", target.order), target)


def _open(attr: Any, target: targets.Target) -> Fd:
    attr.doing = f"attach to {target}"
    return bpf_fd(attr)


_ATTACH: dict[type[object], Callable[[Fd, Any], Fd]] = {
    targets.RawTracepoint: _raw_tracepoint,
    targets.Loaded: _loaded,
    targets.Function: _function,
    targets.Tracepoint: link_event,
    probes.Kprobe: link_event,
    probes.Uprobe: link_event,
    probes.PerfEvent: link_event,
    probes.KprobeMulti: link_kprobes,
    probes.TracingMulti: link_functions,
    probes.UprobeMulti: link_uprobes,
    targets.Iter: _iter,
    targets.Cgroup: _cgroup,
    targets.Xdp: _xdp,
    targets.Tcx: _tcx,
    net.Netkit: link_netkit,
    net.Netns: link_netns,
    net.Netfilter: link_netfilter,
    net.Sockmap: link_sockmap,
}
