"""Attach programs to perf events: trace events, kprobes, uprobes and counters.

Since Linux 5.15 that makes a link. Before, a program stays on an event as long as the event's
descriptor is open, and nothing can be pinned.
"""

from __future__ import annotations

from bpfctl.errors import NotSupportedError, SyscallError
from bpfctl.kernel import perf
from bpfctl.kernel.attr_link import link_create, with_perf_cookie
from bpfctl.kernel.bpf import bpf_fd
from bpfctl.kernel.uapi import AttachType
from bpfctl.linux.pmus import pmu_bit, pmu_number
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects.attach_lacking import LINK_LACKING
from bpfctl.objects.attach_places import check_process
from bpfctl.objects.attach_targets import Tracepoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bpfctl.kernel.fd import Fd

_OFFSET_LIMIT = 1 << 63  # loff_t
EventTarget = Tracepoint | probes.Kprobe | probes.Uprobe | probes.PerfEvent


def link_event(prog_fd: Fd, target: EventTarget) -> Fd:
    """Open the event and link a program to it. Raises: what `open_event` raises, SyscallError."""
    with open_event(target) as event:
        attr = link_create(
            prog_fd=prog_fd,
            target_fd=event,
            attach_type=AttachType.PERF_EVENT,
            doing=f"attach to {target}",
        )
        link = bpf_fd(with_perf_cookie(attr, target.cookie))
        try:
            perf.enable(event)
        except BaseException:
            link.close()
            raise
        return link


def hold_event(prog_fd: Fd, target: EventTarget) -> Fd:
    """Run a program on an event without a link; it ends when the caller closes the event.

    Raises: what `open_event` raises, NotSupportedError (a cookie needs a link), SyscallError.
    """
    if target.cookie:
        raise NotSupportedError("cookies of perf events", "5.15", code=LINK_LACKING)
    event = open_event(target)
    try:
        perf.set_bpf(event, prog_fd)
        perf.enable(event)
    except BaseException:
        event.close()
        raise
    return event


def open_event(target: EventTarget) -> Fd:
    """Open the event of a target; the caller closes it.

    Raises: NotFoundError (no such function, trace event, process), NotSupportedError,
    AmbiguousError, PathError and ObjectFileError (a file that is probed), SyscallError.
    """
    return _OPEN[type(target)](target)


def _tracepoint(target: Tracepoint) -> Fd:
    from bpfctl.linux.tracefs import tracepoint_id

    return perf.open_tracepoint(tracepoint_id(target.category, target.name))


def _kprobe(target: probes.Kprobe) -> Fd:
    pmu, config = probe_source("kprobe", is_return=target.is_return)
    try:
        return perf.open_kprobe(pmu, config, target.function, target.offset)
    except SyscallError as err:
        from bpfctl.objects.attach_explain_probe import explain_kprobe

        raise explain_kprobe(err, target) from err


def _uprobe(target: probes.Uprobe) -> Fd:
    from bpfctl.objects.binary_places import binary_path, function_offsets

    pmu, config = probe_source("uprobe", is_return=target.is_return)
    path = binary_path(target.path)
    start = function_offsets(path, [target.function])[0] if target.function else 0
    check_process(target.pid)
    place = start + target.offset
    if place >= _OFFSET_LIMIT:  # the kernel would take it for negative, and for good
        from bpfctl.objects.attach_explain_event import outside

        raise outside(path, place)
    try:
        return perf.open_uprobe(pmu, config, path, place, pid=target.pid)
    except SyscallError as err:
        from bpfctl.objects.attach_explain_event import behind_end

        err.doing = f"probe {target}"
        raise behind_end(err, path, [place]) or err from err


def probe_source(name: str, *, is_return: bool) -> tuple[int, int]:
    """Return the number of the source of "kprobe" or "uprobe" events, and what config to ask.

    Raises: NotSupportedError.
    """
    number = pmu_number(name)
    if number is None:
        from bpfctl.objects.function_causes import no_probes

        raise no_probes(name)
    return number, pmu_bit(name, "retprobe") if is_return else 0


def _counter(target: probes.PerfEvent) -> Fd:
    check_process(target.pid or 0)
    try:
        return perf.open_sampling(
            target.type,
            target.config,
            freq=target.freq,
            period=target.period,
            pid=-1 if target.pid is None else target.pid,
            cpu=-1 if target.cpu is None else target.cpu,
        )
    except SyscallError as err:
        from bpfctl.objects.attach_explain_event import explain_counter

        raise explain_counter(err, target) from err


_OPEN: dict[type[object], Callable[[Any], Fd]] = {
    Tracepoint: _tracepoint,
    probes.Kprobe: _kprobe,
    probes.Uprobe: _uprobe,
    probes.PerfEvent: _counter,
}
