"""perf_event_open(2): the events that BPF programs run on."""

from __future__ import annotations

from bpfctl.errors import SyscallError
from bpfctl.kernel.fd import Fd
from bpfctl.kernel.libc import ffi, lib, syscall_number
from bpfctl.kernel.request import Descriptor, descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# include/uapi/linux/perf_event.h
PERF_TYPE_TRACEPOINT = 2
_FLAG_FD_CLOEXEC = 8
_IOC_ENABLE = 0x2400
_IOC_SET_BPF = 0x40042408
_REF_CTR_SHIFT = 32  # PERF_UPROBE_REF_CTR_OFFSET_SHIFT, kernel/events/core.c, Linux 4.20


def open_tracepoint(event_id: int) -> Fd:
    """Open the trace event with the number of its `id` file, on CPU 0 for all processes.

    A program on it runs wherever the event fires: the event's hook knows no CPU
    (perf_trace_run_bpf_submit, kernel/events/core.c). Raises: SyscallError.
    """
    attr = _attr(PERF_TYPE_TRACEPOINT, event_id)
    attr.sample_period = 1
    attr.wakeup_events = 1
    return perf_event_open(attr, pid=-1, cpu=0, doing=f"open trace event {event_id}")


def open_kprobe(pmu: int, config: int, function: str, offset: int) -> Fd:
    """Open a probe on a function of the kernel; `offset` counts bytes from its beginning.

    `pmu` is the number of the "kprobe" event source, `config` its bits (that of returns).
    Raises: SyscallError (ENOENT: no such function; EINVAL: it takes no probe).
    Source: perf_kprobe_event_init, kernel/events/core.c, Linux 4.17.
    """
    name = ffi.new("char[]", function.encode("utf-8", "surrogateescape"))
    attr = _attr(pmu, config)
    attr.kprobe_func = int(ffi.cast("uintptr_t", name))
    attr.probe_offset = offset
    return perf_event_open(attr, pid=-1, cpu=0, doing=f"open a probe on {function}")


def open_uprobe(
    pmu: int, config: int, path: str, offset: int, *, pid: int = 0, ref_ctr_offset: int = 0
) -> Fd:
    """Open a probe on a place of a file, for one process or (0) all that run it.

    `offset` counts bytes from the beginning of the file; at `ref_ctr_offset`, unless it is 0, is
    a 16-bit counter of probes. Raises: SyscallError.
    """
    name = ffi.new("char[]", path.encode("utf-8", "surrogateescape"))
    attr = _attr(pmu, config | ref_ctr_offset << _REF_CTR_SHIFT)
    attr.uprobe_path = int(ffi.cast("uintptr_t", name))
    attr.probe_offset = offset
    doing = f"open a probe on {path}+{offset:#x}"
    return perf_event_open(attr, pid=pid or -1, cpu=-1 if pid else 0, doing=doing)


def open_sampling(
    event_type: int, config: int, *, freq: int = 0, period: int = 0, pid: int = -1, cpu: int = -1
) -> Fd:
    """Open a counter that fires `freq` times a second, or every `period` events; not started.

    Of `pid` and `cpu` at least one is given: -1 stands for every. Raises: SyscallError.
    """
    attr = _attr(event_type, config)
    attr.freq = bool(freq)
    attr.sample_period = freq or period  # one field
    attr.disabled = 1
    return perf_event_open(attr, pid=pid, cpu=cpu, doing="open a perf event")


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


def _attr(event_type: int, config: int) -> Any:
    attr: Any = ffi.new("struct perf_event_attr *")
    attr.type = event_type
    attr.size = ffi.sizeof("struct perf_event_attr")
    attr.config = config
    return attr


def _ioctl(event: Descriptor, request: int, value: int, name: str) -> None:
    if lib.ioctl(descriptor(event), request, ffi.cast("int", value)) < 0:
        raise SyscallError(ffi.errno, name, "attach to a perf event")
