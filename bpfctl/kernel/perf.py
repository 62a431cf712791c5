"""perf_event_open(2): the events that BPF programs run on."""

from __future__ import annotations

from typing import Any

from bpfctl.errors import SyscallError
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.libc import ffi, lib, syscall_number
from bpfctl.kernel.request import Descriptor, descriptor

# include/uapi/linux/perf_event.h
PERF_TYPE_TRACEPOINT = 2
_FLAG_FD_CLOEXEC = 8
_IOC_ENABLE = 0x2400
_IOC_SET_BPF = 0x40042408


def open_tracepoint(event_id: int) -> Fd:
    """Open the trace event with the number of its `id` file, on CPU 0 for all processes.

    A program on it runs wherever the event fires: the event's hook knows no CPU
    (perf_trace_run_bpf_submit, kernel/events/core.c). Raises: SyscallError.
    """
    attr: Any = ffi.new("struct perf_event_attr *")
    attr.type = PERF_TYPE_TRACEPOINT
    attr.size = ffi.sizeof("struct perf_event_attr")
    attr.config = event_id
    attr.sample_period = 1
    attr.wakeup_events = 1
    return perf_event_open(attr, pid=-1, cpu=0, doing=f"open trace event {event_id}")


def perf_event_open(attr: Any, *, pid: int, cpu: int, doing: str) -> Fd:
    """Issue the system call; -1 stands for every process or CPU. Raises: SyscallError."""
    result = lib.syscall(
        syscall_number("perf_event_open"),
        attr,
        ffi.cast("int", pid),
        ffi.cast("int", cpu),
        ffi.cast("int", -1),
        ffi.cast("unsigned long", _FLAG_FD_CLOEXEC),
    )
    if result < 0:
        raise SyscallError(ffi.errno, "perf_event_open", doing)
    return Fd(result)


def set_bpf(event: Descriptor, prog_fd: Descriptor) -> None:
    """Run a program on an event without a link, as kernels before 5.15 want it."""
    _ioctl(event, _IOC_SET_BPF, descriptor(prog_fd), "PERF_EVENT_IOC_SET_BPF")


def enable(event: Descriptor) -> None:
    """Start an event."""
    _ioctl(event, _IOC_ENABLE, 0, "PERF_EVENT_IOC_ENABLE")


def _ioctl(event: Descriptor, request: int, value: int, name: str) -> None:
    if lib.ioctl(descriptor(event), request, ffi.cast("int", value)) < 0:
        raise SyscallError(ffi.errno, name, "attach to a perf event")
