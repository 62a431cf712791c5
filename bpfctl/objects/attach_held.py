"""Attach programs where the kernel has no links for that: as long as somebody stays.

A link goes with its last descriptor or pin. What is attached in the older ways goes with its perf
event, or when it is taken away: from a map of sockets, or from an interface's filters.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

from bpfctl.errors import SyscallError
from bpfctl.kernel.attr_link import prog_attach, prog_detach
from bpfctl.kernel.bpf import bpf
from bpfctl.objects.attach_net_targets import Filter, Sockmap
from bpfctl.objects.attach_perf import EventTarget, hold_event
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

HoldTarget = EventTarget | Usdt | Tcx | Filter | Sockmap


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
        target = Filter(target.device, target.attach_type)
    if isinstance(target, Filter):
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
def _filter(prog_fd: Fd, prog: ProgInfo, target: Filter) -> Iterator[None]:
    """Attach as a filter of the interface, after those that are there (Linux 4.4)."""
    from bpfctl.objects.net_filter import attach_filter, detach_filter

    placed = attach_filter(prog_fd, prog.name, target)
    try:
        yield
    finally:
        detach_filter(placed)
