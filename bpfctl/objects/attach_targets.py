"""What a program can be attached to: plain data, made from words on a command line or by hand."""

from __future__ import annotations

from bpfctl.kernel.flags import XdpFlags
from bpfctl.kernel.uapi import AttachType, CgroupIterOrder
from bpfctl.objects.attach_net_targets import LAST, NetTarget, Order
from bpfctl.objects.attach_probe_targets import Probe
from bpfctl.objects.attach_words import attach_word
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

XDP_MODES: Final = {
    "generic": XdpFlags.SKB_MODE,
    "driver": XdpFlags.DRV_MODE,
    "offload": XdpFlags.HW_MODE,
}


@plain
class RawTracepoint:
    """A raw tracepoint by its name ("sched_process_exec").

    `cookie` is what bpf_get_attach_cookie returns in the program; 0 is none.
    """

    name: str
    cookie: int = 0

    def __str__(self) -> str:
        return f"raw tracepoint {self.name}"


@plain
class Loaded:
    """What the program was loaded for: tp_btf, fentry, fexit, fmod_ret, LSM, freplace.

    A cookie wants the attach type too, which the kernel keeps to itself.
    """

    attach_type: AttachType | None = None
    cookie: int = 0

    def __str__(self) -> str:
        return "the target that the program was loaded for"


@plain
class Function:
    """A function of a loaded program, which the attached program replaces (freplace).

    `prog_fd` is the caller's to close; `btf_id` is the function's type in that program's types.
    """

    prog_fd: int
    btf_id: int
    name: str

    def __str__(self) -> str:
        return f"function {self.name} of a program"


@plain
class Tracepoint:
    """A trace event ("sched", "sched_switch"); the cookie is as in RawTracepoint."""

    category: str
    name: str
    cookie: int = 0

    def __str__(self) -> str:
        return f"tracepoint {self.category}/{self.name}"


@plain
class Iter:
    """An iterator and what it walks; a program for another target takes other parameters.

    `map_fd` and `pid_fd` (of pidfd_open(2)) are the caller's to close. Of `tid`, `pid` and
    `pid_fd` only one may be given, and of `cgroup`, its directory, and `cgroup_id`.
    """

    map_fd: int | None = None
    tid: int | None = None
    pid: int | None = None
    cgroup: str | None = None
    order: CgroupIterOrder | None = None
    pid_fd: int | None = None
    cgroup_id: int | None = None

    def __str__(self) -> str:
        if self.map_fd is not None:
            return "iterator over the elements of a map"
        if self.tid or self.pid:
            return f"iterator over {'thread' if self.tid else 'process'} {self.tid or self.pid}"
        if self.pid_fd is not None:
            return f"iterator over the process of descriptor {self.pid_fd}"
        if self.cgroup_id is not None:
            return f"iterator over cgroup id {self.cgroup_id}"
        return f"iterator over cgroup {self.cgroup}" if self.cgroup else "iterator"


@plain
class Cgroup:
    """A cgroup of version 2 by its directory, what in it runs the program, and in which order.

    Orders are known since Linux 6.17.
    """

    path: str
    attach_type: AttachType
    order: Order = LAST

    def __str__(self) -> str:
        return f"cgroup {self.path} ({attach_word(self.attach_type)})"


@plain
class Xdp:
    """An interface of the current network namespace; without a mode the kernel chooses one."""

    device: str
    mode: str | None = None

    def __str__(self) -> str:
        return f"{self.device} (xdp, {self.mode} mode)" if self.mode else f"{self.device} (xdp)"


@plain
class Tcx:
    """A direction of an interface, and the place among the programs there."""

    device: str
    attach_type: AttachType
    order: Order = LAST

    def __str__(self) -> str:
        side = "ingress" if self.attach_type == AttachType.TCX_INGRESS else "egress"
        return f"{self.device} (tcx {side})"


Target = (
    RawTracepoint | Loaded | Function | Tracepoint | Probe | Iter | Cgroup | Xdp | Tcx | NetTarget
)
