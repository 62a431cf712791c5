"""Make links: attach programs."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from bpfctl.errors import NotFoundError, PathError, SyscallError
from bpfctl.kernel.attr_link import (
    link_create,
    raw_tracepoint_open,
    with_function,
    with_neighbour,
)
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.flags import AttachFlags
from bpfctl.kernel.uapi import AttachType
from bpfctl.linux.netdev import interface_index
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects import attach_targets as targets
from bpfctl.objects.attach_multi import link_kprobes, link_uprobes
from bpfctl.objects.attach_perf import hold_event, link_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.attach_perf import EventTarget
    from bpfctl.objects.prog import ProgInfo


def create_link(prog_fd: Fd, prog: ProgInfo, target: targets.Target) -> Fd:
    """Attach a program, and return the link; it ends when nobody holds or pins it any more.

    The caller closes it. Whatever fails, nothing stays attached.
    Raises: NotFoundError (no such interface, tracepoint, function), PathError (the cgroup's
    directory), UsageError (a program that cannot go there), NotSupportedError, SyscallError.
    """
    try:
        return _ATTACH[type(target)](prog_fd, target)
    except SyscallError as err:
        from bpfctl.objects.attach_explain import explain

        raise explain(err, prog, target) from err


def hold(prog_fd: Fd, prog: ProgInfo, target: EventTarget) -> Fd:
    """Attach a program to a perf event without a link, as kernels before 5.15 can.

    Closing the result detaches the program. Raises: as `create_link`.
    """
    try:
        return hold_event(prog_fd, target)
    except SyscallError as err:
        from bpfctl.objects.attach_explain import explain

        raise explain(err, prog, target) from err


def _raw_tracepoint(prog_fd: Fd, target: targets.RawTracepoint) -> Fd:
    return _open(raw_tracepoint_open(target.name, prog_fd, cookie=target.cookie), target)


def _loaded(prog_fd: Fd, target: targets.Loaded) -> Fd:
    """Attach where the program was loaded for. What that is only the kernel knows, so we try.

    It answers EINVAL when a program is no iterator (link_create, kernel/bpf/syscall.c, Linux 5.8).
    """
    if target.cookie:
        attr = link_create(prog_fd=prog_fd, attach_type=target.attach_type or 0)
        return _open(with_function(attr, cookie=target.cookie), target)
    try:
        return _iter(prog_fd, targets.Iter())
    except SyscallError as err:
        if err.errno != errno.EINVAL:
            raise
        return _open(raw_tracepoint_open("", prog_fd), target)


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
        return _open(attr, target)


def _xdp(prog_fd: Fd, target: targets.Xdp) -> Fd:
    attr = link_create(
        prog_fd=prog_fd,
        target_ifindex=find_interface(target.device),
        attach_type=AttachType.XDP,
        flags=targets.XDP_MODES[target.mode] if target.mode else 0,
    )
    return _open(attr, target)


def _tcx(prog_fd: Fd, target: targets.Tcx) -> Fd:
    flags = AttachFlags(0)
    if target.place:
        flags |= AttachFlags.BEFORE if target.place == "before" else AttachFlags.AFTER
    if target.neighbour_id:
        flags |= AttachFlags.ID
        flags |= AttachFlags.LINK if target.neighbour == "link" else 0
    attr = link_create(
        prog_fd=prog_fd,
        target_ifindex=find_interface(target.device),
        attach_type=target.attach_type,
        flags=flags,
    )
    return _open(with_neighbour(attr, "tcx", relative=target.neighbour_id), target)


def _open(attr: Any, target: targets.Target) -> Fd:
    attr.doing = f"attach to {target}"
    return bpf_fd(attr)


def find_interface(name: str) -> int:
    """Return the index of an interface. Raises: NotFoundError."""
    index = interface_index(name)
    if index is None:
        raise NotFoundError(
            f"there is no interface {name} in this network namespace",
            code="no-such-interface",
            subject=name,
            remedy="see: ip -brief link    (another namespace: ip netns exec NAME bpfctl ...)",
        )
    return index


def open_directory(path: str) -> Fd:
    """Open a cgroup's directory; the caller closes it. Raises: PathError."""
    from bpfctl.kernel.fd import Fd

    try:
        return Fd(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot open the cgroup: {words}", code="no-cgroup", subject=path) from err


_ATTACH: dict[type[object], Callable[[Fd, Any], Fd]] = {
    targets.RawTracepoint: _raw_tracepoint,
    targets.Loaded: _loaded,
    targets.Function: _function,
    targets.Tracepoint: link_event,
    probes.Kprobe: link_event,
    probes.Uprobe: link_event,
    probes.PerfEvent: link_event,
    probes.KprobeMulti: link_kprobes,
    probes.UprobeMulti: link_uprobes,
    targets.Iter: _iter,
    targets.Cgroup: _cgroup,
    targets.Xdp: _xdp,
    targets.Tcx: _tcx,
}
