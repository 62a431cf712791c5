"""Attach programs where the kernel has no links for that: as long as somebody stays.

A link goes with its last descriptor or pin. What is attached in the older ways goes with its perf
event, or when it is taken away: from a map of sockets, or from an interface's filters.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_link import prog_attach, prog_detach
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.uapi import AttachType
from bpfctl.objects.attach_net_targets import Sockmap
from bpfctl.objects.attach_perf import EventTarget, hold_event
from bpfctl.objects.attach_places import find_interface
from bpfctl.objects.attach_probe_targets import PerfEvent, Usdt
from bpfctl.objects.attach_several import each_cpu
from bpfctl.objects.attach_targets import Tcx
from bpfctl.objects.attach_usdt import hold_usdt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    from bpfctl.kernel.fd import Fd
    from bpfctl.objects.prog import ProgInfo

HoldTarget = EventTarget | Usdt | Tcx | Sockmap

# include/uapi/linux/pkt_sched.h: the two sides of the clsact queueing discipline (Linux 4.5).
_SIDES = {AttachType.TCX_INGRESS: 0xFFFFFFF2, AttachType.TCX_EGRESS: 0xFFFFFFF3}
_HANDLE = 1
_CLSACT = "clsact"


@contextmanager
def held(prog_fd: Fd, prog: ProgInfo, target: HoldTarget) -> Iterator[None]:
    """Attach a program without a link for the time of a `with` statement.

    Raises: as `create_link`.
    """
    try:
        with _attached(prog_fd, prog, target):
            yield
    except SyscallError as err:
        from bpfctl.objects.attach_explain import explain

        err.knowing(prog, target)
        raise explain(err, prog, target) from err


def _attached(prog_fd: Fd, prog: ProgInfo, target: HoldTarget) -> AbstractContextManager[object]:
    if isinstance(target, Tcx):
        return _filter(prog_fd, prog, target)
    if isinstance(target, Sockmap):
        return _in_map(prog_fd, target)
    if isinstance(target, Usdt):
        return hold_usdt(prog_fd, target)
    if isinstance(target, PerfEvent) and target.every_cpu:
        return _on_every_cpu(prog_fd, target)
    return hold_event(prog_fd, target)


def _on_every_cpu(prog_fd: Fd, target: PerfEvent) -> ExitStack:
    with ExitStack() as made:
        for one in each_cpu(target):
            made.enter_context(hold_event(prog_fd, one))
        return made.pop_all()


@contextmanager
def _in_map(prog_fd: Fd, target: Sockmap) -> Iterator[None]:
    """Attach to a map of sockets (Linux 4.14)."""
    where: dict[str, Any] = {"attach_type": target.attach_type, "target_fd": target.map_fd}
    bpf(prog_attach(prog_fd=prog_fd, **where))
    try:
        yield
    finally:
        bpf(prog_detach(prog_fd=prog_fd, **where))


@contextmanager
def _filter(prog_fd: Fd, prog: ProgInfo, target: Tcx) -> Iterator[None]:
    """Attach as a filter of the interface, after those that are there (Linux 4.4)."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    index, parent = find_interface(target.device), _SIDES[target.attach_type]
    with IPRoute() as ip:
        try:
            made = _make_clsact(ip, index)
            place = {"parent": parent, "prio": _free(ip, index, parent)}
            words = {"fd": prog_fd.fileno(), "name": prog.name, "direct_action": True}
            try:
                ip.tc("add-filter", "bpf", index, _HANDLE, **words, **place)
                try:
                    yield
                finally:
                    ip.tc("del-filter", "bpf", index, _HANDLE, **place)
            finally:
                if made and not any(list(ip.get_filters(index, parent=p)) for p in _SIDES.values()):
                    ip.tc("del", _CLSACT, index)
        except NetlinkError as err:
            raise SyscallError(err.code, "netlink", f"attach to {target}") from err


def _make_clsact(ip: Any, index: int) -> bool:
    """Make what filters are in, unless it is there; say whether."""
    there = [one.get_attr("TCA_KIND") for one in ip.get_qdiscs(index)]
    if _CLSACT in there:
        return False
    ip.tc("add", _CLSACT, index)
    return True


def _free(ip: Any, index: int, parent: int) -> int:
    """Return a priority behind those of all filters there."""
    taken = [one["info"] >> 16 for one in ip.get_filters(index, parent=parent)]
    return max(taken, default=0) + 1
